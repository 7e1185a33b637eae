//! What is wrong with one image: the file is damaged, it is of a sort that is not read, or it is not what the format of the
//! data set needs.

use crate::diagnostic::Diagnostic;

/// A fault with its code. Texts speak of the image as "it".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub code: &'static str,
    pub text: String,
    pub help: String,
}

impl Fault {
    /// The image is sound, but `image = …` asks for what is not in it.
    pub fn unfit(text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code: "E0520", text: text.into(), help: help.into() }
    }

    /// An encoding that this program does not read.
    pub fn unread(text: impl Into<String>) -> Self {
        let help = "convert the files to an encoding that is read, for example with `dcmconv` or `gdcmconv --raw`";
        Self { code: "E0521", text: text.into(), help: help.to_owned() }
    }

    /// The message for an image of this name: its file, or where it stands in a table.
    pub fn told(self, image: &str) -> Diagnostic {
        let what = match self.code {
            "E0520" => format!("the image {image} does not fit the format of the data set"),
            "E0521" => format!("the image {image} is encoded in a way that is not read"),
            _ => format!("the image {image} cannot be read"),
        };
        Diagnostic::error(self.code, what).note(self.text).help(self.help)
    }
}

/// A damaged file.
impl From<String> for Fault {
    fn from(text: String) -> Self {
        Self { code: "E0505", text, help: "get this file again, or take its row out of the table".to_owned() }
    }
}

//! Reads a pickle without running anything: a machine for those of Python's opcodes that tables of tensors are written with.
//!
//! A pickle is a program, and Python's own reader calls whatever function it names. Here a function is a name, calls of a few
//! names that only put data together (`collections.OrderedDict`, `torch._utils._rebuild_tensor_v2`) are carried out by this
//! file, and every other call leaves an [`Object::Other`] with the name: nothing is imported, nothing is called.
//!
//! Objects lie in one list and name one another by their place in it, so that a pickle that holds itself, or is nested a
//! million deep, costs nothing to keep and to drop. Opcodes: Python's `pickletools.py`, protocols 0 to 5.

use super::element::Element;
use std::collections::BTreeMap;

/// The place of an object in [`Pickle::objects`].
pub type ObjectId = usize;

/// No table of tensors comes near so many objects, or entries of all tables together.
const MOST_OBJECTS: usize = 1 << 20;
/// Places on the stack.
const HIGHEST_STACK: usize = 1 << 22;
/// Dimensions of a tensor.
const MOST_DIMENSIONS: usize = 16;
/// Letters of the name of a class, a function or a storage, which are copied.
const LONGEST_NAME: usize = 256;

/// What a pickle holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    None,
    Boolean(bool),
    Integer(i128),
    Number(f64),
    Text(String),
    Bytes,
    /// Tuples, lists and sets.
    Sequence(Vec<ObjectId>),
    Dictionary(Vec<(ObjectId, ObjectId)>),
    /// A function or class by its full name; it is never looked for.
    Global(String),
    Storage(Storage),
    Tensor(Tensor),
    /// What only Python code could make: an object of the class, or the result of the function, of this name.
    Other(String),
}

/// A stretch of numbers that lies outside of the pickle.
#[derive(Clone, Debug, PartialEq)]
pub struct Storage {
    pub key: String,
    pub element: Element,
    /// Where it begins within the storage of this key, in numbers.
    pub offset: u64,
}

/// A view of a storage.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    pub storage: Storage,
    /// In numbers, from the start of the storage of the key.
    pub offset: u64,
    pub shape: Vec<u64>,
    pub strides: Vec<u64>,
}

/// A pickle that has been read.
#[derive(Clone, Debug)]
pub struct Pickle {
    pub objects: Vec<Object>,
    pub root: ObjectId,
    /// Bytes that it takes up.
    pub length: usize,
}

/// Why a pickle cannot be read, and the byte at which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at} of its pickle: {what}")]
pub struct Fault {
    pub at: usize,
    pub what: String,
}

impl Pickle {
    /// Reads the pickle with which `bytes` begin.
    ///
    /// # Errors
    /// Where it ends early, uses an opcode that tables of tensors are never written with, or contradicts itself.
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let mut machine = Machine { bytes, ..Machine::default() };
        let run = machine.run();
        let (at, length) = (machine.opcode_at, machine.at);
        run.map(|root| Pickle { objects: machine.objects, root, length }).map_err(|what| Fault { at, what })
    }

    pub fn object(&self, id: ObjectId) -> &Object {
        self.objects.get(id).unwrap_or(&Object::None)
    }

    pub fn root(&self) -> &Object {
        self.object(self.root)
    }
}

#[derive(Default)]
struct Machine<'b> {
    bytes: &'b [u8],
    at: usize,
    opcode_at: usize,
    objects: Vec<Object>,
    stack: Vec<ObjectId>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: BTreeMap<u64, ObjectId>,
    /// Entries of tables that calls have made.
    entries: usize,
}

type Outcome<T> = Result<T, String>;

impl<'b> Machine<'b> {
    fn run(&mut self) -> Outcome<ObjectId> {
        loop {
            self.opcode_at = self.at;
            let opcode = self.byte()?;
            if opcode == b'.' {
                return self.pop();
            }
            self.step(opcode)?;
        }
    }

    fn step(&mut self, opcode: u8) -> Outcome<()> {
        match opcode {
            0x80 => match self.byte()? {
                0..=5 => Ok(()),
                newer => Err(format!("protocol {newer} is newer than this reader")),
            },
            0x95 => self.take(8).map(|_| ()), // a frame
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop().map(|_| ()),
            b'1' => self.since_mark().map(|_| ()),
            b'2' => {
                let top = self.top()?;
                self.put(top)
            }
            b'N' => self.push(Object::None),
            0x88 => self.push(Object::Boolean(true)),
            0x89 => self.push(Object::Boolean(false)),
            b'I' | b'L' => {
                let line = self.line()?;
                let object = match line.as_str() {
                    "00" if opcode == b'I' => Object::Boolean(false),
                    "01" if opcode == b'I' => Object::Boolean(true),
                    digits => {
                        Object::Integer(digits.trim_end_matches('L').parse().map_err(|_| format!("`{digits}` is no number"))?)
                    }
                };
                self.push(object)
            }
            b'J' => {
                let bytes = self.array::<4>()?;
                self.push(Object::Integer(i32::from_le_bytes(bytes).into()))
            }
            b'K' | b'M' => {
                let number = self.unsigned(if opcode == b'K' { 1 } else { 2 })?;
                self.push(Object::Integer(number.into()))
            }
            0x8a | 0x8b => self.long(if opcode == 0x8a { 1 } else { 4 }),
            b'F' => {
                let line = self.line()?;
                let number = line.parse().map_err(|_| format!("`{line}` is no number"))?;
                self.push(Object::Number(number))
            }
            b'G' => {
                let bytes = self.array::<8>()?;
                self.push(Object::Number(f64::from_be_bytes(bytes)))
            }
            b'V' | b'S' => {
                let line = self.line()?;
                self.push(Object::Text(line.trim_matches(['\'', '"']).to_owned()))
            }
            b'X' | b'T' => self.text(4),
            b'U' | 0x8c => self.text(1),
            0x8d => self.text(8),
            b'C' => self.binary(1),
            b'B' => self.binary(4),
            0x8e | 0x96 => self.binary(8),
            b')' | b']' | 0x8f => self.push(Object::Sequence(Vec::new())),
            b't' | b'l' | 0x91 => {
                let elements = self.since_mark()?;
                self.push(Object::Sequence(elements))
            }
            0x85..=0x87 => {
                let count = usize::from(opcode - 0x84);
                let start = self.floor(count)?;
                let elements = self.stack.split_off(start);
                self.push(Object::Sequence(elements))
            }
            b'a' => {
                let element = self.pop()?;
                self.append(&[element])
            }
            b'e' | 0x90 => {
                let elements = self.since_mark()?;
                self.append(&elements)
            }
            b'}' => self.push(Object::Dictionary(Vec::new())),
            b'd' => {
                let entries = pairs(&self.since_mark()?)?;
                self.push(Object::Dictionary(entries))
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.set(&[(key, value)])
            }
            b'u' => {
                let entries = pairs(&self.since_mark()?)?;
                self.set(&entries)
            }
            b'c' => {
                let name = self.name()?;
                self.push(Object::Global(name))
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let name = short(format!("{}.{}", self.text_of(module)?, self.text_of(name)?))?;
                self.push(Object::Global(name))
            }
            b'R' => {
                let (arguments, callee) = (self.pop()?, self.pop()?);
                let made = self.call(callee, arguments, 0)?;
                if let Object::Dictionary(entries) = &made {
                    self.entries += entries.len();
                    if self.entries > MOST_OBJECTS {
                        return Err(format!("its tables have more than {MOST_OBJECTS} entries"));
                    }
                }
                self.push(made)
            }
            0x81 => {
                let (_, class) = (self.pop()?, self.pop()?);
                self.instance(class)
            }
            0x92 => {
                let (_, _, class) = (self.pop()?, self.pop()?, self.pop()?);
                self.instance(class)
            }
            b'o' => {
                let parts = self.since_mark()?;
                self.instance(parts.first().copied().ok_or("an object without a class")?)
            }
            b'i' => {
                let name = self.name()?;
                self.since_mark()?;
                self.push(Object::Other(name))
            }
            // What an object is filled with: attributes of a class, `_metadata` of a table.
            b'b' => self.pop().map(|_| ()),
            b'Q' => {
                let id = self.pop()?;
                let storage = self.storage(id)?;
                self.push(Object::Storage(storage))
            }
            b'q' | b'r' | b'p' | 0x94 => {
                let place = match opcode {
                    b'q' => self.unsigned(1)?,
                    b'r' => self.unsigned(4)?,
                    b'p' => self.numbered_line()?,
                    _ => self.memo.len() as u64,
                };
                let top = self.top()?;
                self.memo.insert(place, top);
                Ok(())
            }
            b'h' | b'j' | b'g' => {
                let place = match opcode {
                    b'h' => self.unsigned(1)?,
                    b'j' => self.unsigned(4)?,
                    _ => self.numbered_line()?,
                };
                let known = *self.memo.get(&place).ok_or_else(|| format!("nothing was kept under {place}"))?;
                self.put(known)
            }
            other => Err(format!("the opcode {other:#04x} is none that tables of tensors are written with")),
        }
    }

    // --- bytes ---

    fn take(&mut self, count: u64) -> Outcome<&'b [u8]> {
        let end = usize::try_from(count).ok().and_then(|count| self.at.checked_add(count));
        let taken = end.and_then(|end| self.bytes.get(self.at..end)).ok_or("it ends in the middle")?;
        self.at += taken.len();
        Ok(taken)
    }

    fn byte(&mut self) -> Outcome<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn array<const N: usize>(&mut self) -> Outcome<[u8; N]> {
        self.take(N as u64)?.try_into().map_err(|_| "it ends in the middle".to_owned())
    }

    /// A number of so many bytes, the lowest first.
    fn unsigned(&mut self, bytes: u64) -> Outcome<u64> {
        Ok(self.take(bytes)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn line(&mut self) -> Outcome<String> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == b'\n').ok_or("it ends in the middle")?;
        let line = String::from_utf8_lossy(self.take(end as u64)?).trim_end_matches('\r').to_owned();
        self.at += 1;
        Ok(line)
    }

    /// A name behind that of its module.
    fn name(&mut self) -> Outcome<String> {
        let (module, name) = (self.line()?, self.line()?);
        short(format!("{module}.{name}"))
    }

    fn numbered_line(&mut self) -> Outcome<u64> {
        let line = self.line()?;
        line.parse().map_err(|_| format!("`{line}` is no number"))
    }

    /// A text behind its length.
    fn text(&mut self, length: u64) -> Outcome<()> {
        let length = self.unsigned(length)?;
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.push(Object::Text(text))
    }

    /// Bytes behind their length, which nothing here needs.
    fn binary(&mut self, length: u64) -> Outcome<()> {
        let length = self.unsigned(length)?;
        self.take(length)?;
        self.push(Object::Bytes)
    }

    /// A whole number of any length in two's complement, the lowest byte first.
    fn long(&mut self, length: u64) -> Outcome<()> {
        let length = self.unsigned(length)?;
        let bytes = self.take(length)?;
        let sign = if bytes.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
        let mut wide = [sign; 16];
        let place = wide.get_mut(..bytes.len()).ok_or_else(|| format!("a whole number of {length} bytes"))?;
        place.copy_from_slice(bytes);
        self.push(Object::Integer(i128::from_le_bytes(wide)))
    }

    // --- the stack ---

    fn push(&mut self, object: Object) -> Outcome<()> {
        if self.objects.len() >= MOST_OBJECTS {
            return Err(format!("it holds more than {MOST_OBJECTS} objects"));
        }
        self.put(self.objects.len())?;
        self.objects.push(object);
        Ok(())
    }

    fn put(&mut self, id: ObjectId) -> Outcome<()> {
        if self.stack.len() >= HIGHEST_STACK {
            return Err(format!("it needs more than {HIGHEST_STACK} places"));
        }
        self.stack.push(id);
        Ok(())
    }

    /// The height of the stack without its highest `count` objects, which stand above the last mark.
    fn floor(&self, count: usize) -> Outcome<usize> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let start = self.stack.len().checked_sub(count).filter(|start| *start >= floor);
        start.ok_or_else(|| "it takes more objects than there are".to_owned())
    }

    fn pop(&mut self) -> Outcome<ObjectId> {
        self.floor(1)?;
        self.stack.pop().ok_or_else(|| "it takes more objects than there are".to_owned())
    }

    fn top(&self) -> Outcome<ObjectId> {
        self.stack.last().copied().ok_or_else(|| "it takes more objects than there are".to_owned())
    }

    fn since_mark(&mut self) -> Outcome<Vec<ObjectId>> {
        let mark = self.marks.pop().filter(|mark| *mark <= self.stack.len()).ok_or("it goes back to a mark that was not set")?;
        Ok(self.stack.split_off(mark))
    }

    fn append(&mut self, elements: &[ObjectId]) -> Outcome<()> {
        let top = self.top()?;
        match self.objects.get_mut(top) {
            Some(Object::Sequence(known)) => known.extend(elements),
            Some(Object::Other(_)) => {}
            _ => return Err("it appends to something that is no list".to_owned()),
        }
        Ok(())
    }

    fn set(&mut self, entries: &[(ObjectId, ObjectId)]) -> Outcome<()> {
        let top = self.top()?;
        match self.objects.get_mut(top) {
            Some(Object::Dictionary(known)) => known.extend(entries),
            Some(Object::Other(_)) => {}
            _ => return Err("it fills something that is no dictionary".to_owned()),
        }
        Ok(())
    }

    // --- objects ---

    fn object(&self, id: ObjectId) -> &Object {
        self.objects.get(id).unwrap_or(&Object::None)
    }

    fn text_of(&self, id: ObjectId) -> Outcome<&str> {
        match self.object(id) {
            Object::Text(text) => Ok(text),
            other => Err(instead(other, "a text")),
        }
    }

    fn sequence(&self, id: ObjectId) -> Outcome<&[ObjectId]> {
        match self.object(id) {
            Object::Sequence(elements) => Ok(elements),
            other => Err(instead(other, "a tuple")),
        }
    }

    fn number(&self, id: Option<&ObjectId>) -> Outcome<u64> {
        match id.map(|id| self.object(*id)) {
            Some(Object::Integer(number)) => u64::try_from(*number).map_err(|_| format!("{number} is no size")),
            other => Err(instead(other.unwrap_or(&Object::None), "a size")),
        }
    }

    fn numbers(&self, id: Option<&ObjectId>) -> Outcome<Vec<u64>> {
        let elements = self.sequence(*id.ok_or("a tensor without its sizes")?)?;
        if elements.len() > MOST_DIMENSIONS {
            return Err(format!("a tensor of {} dimensions", elements.len()));
        }
        elements.iter().map(|element| self.number(Some(element))).collect()
    }

    fn instance(&mut self, class: ObjectId) -> Outcome<()> {
        let name = match self.object(class) {
            Object::Global(name) | Object::Other(name) => name.clone(),
            _ => return Err("it makes an object of something that is no class".to_owned()),
        };
        self.push(Object::Other(name))
    }

    /// What a call comes to: data for the few names that put tables of tensors together, a name for all others.
    fn call(&self, callee: ObjectId, arguments: ObjectId, depth: usize) -> Outcome<Object> {
        let name = match self.object(callee) {
            Object::Global(name) | Object::Other(name) => name.as_str(),
            _ => return Err("it calls something that is no function".to_owned()),
        };
        let given = self.sequence(arguments)?;
        let first = given.first().copied();
        match name {
            "collections.OrderedDict" | "builtins.dict" | "__builtin__.dict" => self.dictionary(first),
            "collections.defaultdict" => self.dictionary(given.get(1).copied()),
            "torch._utils._rebuild_tensor" | "torch._utils._rebuild_tensor_v2" => self.tensor(given, None),
            "torch._utils._rebuild_tensor_v3" => self.tensor(given, given.get(6)),
            "torch._utils._rebuild_parameter" | "torch._utils._rebuild_parameter_with_state" => {
                match first.map(|id| self.object(id)) {
                    Some(Object::Tensor(tensor)) => Ok(Object::Tensor(tensor.clone())),
                    other => Err(instead(other.unwrap_or(&Object::None), "a tensor")),
                }
            }
            // Sizes: the tuple that they were.
            "torch.Size" => {
                let sizes = self.sequence(first.ok_or("sizes without numbers")?)?;
                Ok(Object::Sequence(sizes.get(..MOST_DIMENSIONS.min(sizes.len())).unwrap_or_default().to_vec()))
            }
            // A subclass of tensors: the function that would make it, and that one's arguments.
            "torch._tensor._rebuild_from_type_v2" if depth == 0 => match (first, given.get(2)) {
                (Some(inner), Some(arguments)) => self.call(inner, *arguments, depth + 1),
                _ => Err(format!("`{name}` without arguments")),
            },
            other => Ok(Object::Other(other.to_owned())),
        }
    }

    /// A table from nothing, or from a list of pairs.
    fn dictionary(&self, given: Option<ObjectId>) -> Outcome<Object> {
        let Some(given) = given else { return Ok(Object::Dictionary(Vec::new())) };
        let entry = |pair: &ObjectId| match self.sequence(*pair)? {
            [key, value] => Ok((*key, *value)),
            other => Err(format!("{} objects stand where a key and a value are due", other.len())),
        };
        Ok(Object::Dictionary(self.sequence(given)?.iter().map(entry).collect::<Outcome<_>>()?))
    }

    /// `(storage, offset, sizes, strides, …)`; with `element`, the storage is one of bytes.
    fn tensor(&self, given: &[ObjectId], element: Option<&ObjectId>) -> Outcome<Object> {
        let mut storage = match given.first().map(|id| self.object(*id)) {
            Some(Object::Storage(storage)) => storage.clone(),
            other => return Err(instead(other.unwrap_or(&Object::None), "a storage")),
        };
        if let Some(Object::Global(name)) = element.map(|id| self.object(*id)) {
            storage.element = Element::of_torch(name);
        }
        let (shape, strides) = (self.numbers(given.get(2))?, self.numbers(given.get(3))?);
        if shape.len() != strides.len() {
            return Err(format!("a tensor has {} sizes and {} strides", shape.len(), strides.len()));
        }
        let offset = self.number(given.get(1))?.checked_add(storage.offset).ok_or("a tensor begins beyond all bounds")?;
        Ok(Object::Tensor(Tensor { storage, offset, shape, strides }))
    }

    /// `("storage", class, key, location, count)`, in old files with `(key, offset, count)` of a view behind it.
    fn storage(&self, id: ObjectId) -> Outcome<Storage> {
        let parts = self.sequence(id)?;
        let (kind, class, key) = match parts {
            [kind, class, key, ..] => (self.text_of(*kind)?, self.object(*class), self.object(*key)),
            _ => return Err("it refers to something that is no storage".to_owned()),
        };
        let key = match key {
            Object::Text(key) => short(key.clone())?,
            Object::Integer(key) => key.to_string(),
            other => return Err(instead(other, "the name of a storage")),
        };
        let class = match class {
            Object::Global(name) => name.as_str(),
            other => return Err(instead(other, "a type of numbers")),
        };
        if kind != "storage" {
            return Err(format!("it refers to a `{kind}`, which is no storage"));
        }
        let offset = match parts.get(5).map(|view| self.object(*view)) {
            Some(Object::Sequence(view)) => self.number(view.get(1))?,
            _ => 0,
        };
        Ok(Storage { key, element: Element::of_torch(class), offset })
    }
}

fn short(name: String) -> Outcome<String> {
    if name.len() > LONGEST_NAME { Err(format!("a name of {} letters", name.len())) } else { Ok(name) }
}

/// The message on an object in the place of another.
fn instead(found: &Object, due: &str) -> String {
    let found = match found {
        Object::None => "nothing",
        Object::Boolean(_) => "true or false",
        Object::Integer(_) | Object::Number(_) => "a number",
        Object::Text(_) => "a text",
        Object::Bytes => "a row of bytes",
        Object::Sequence(_) => "a list",
        Object::Dictionary(_) => "a dictionary",
        Object::Global(_) => "the name of a function",
        Object::Storage(_) => "a storage",
        Object::Tensor(_) => "a tensor",
        Object::Other(_) => "an object of Python's",
    };
    format!("{found} stands where {due} is due")
}

fn pairs(flat: &[ObjectId]) -> Outcome<Vec<(ObjectId, ObjectId)>> {
    let (pairs, rest) = flat.as_chunks::<2>();
    match rest {
        [] => Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect()),
        _ => Err("a key without a value".to_owned()),
    }
}

#[cfg(test)]
#[path = "pickle_tests.rs"]
mod tests;

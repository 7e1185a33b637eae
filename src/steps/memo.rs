//! What several steps of a plan have in common, worked out once: the source that all instances of a sweep open, the selection that
//! some of them share.

use crate::language::Value;
use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

/// Results by what they were worked out from. It lives as long as one look at the plan, so that a later look sees files as they are then.
#[derive(Default)]
pub struct Memo(RefCell<Vec<Entry>>);

struct Entry {
    purpose: &'static str,
    of: Vec<Value>,
    result: Rc<dyn Any>,
}

impl Memo {
    /// The result of `make`, which is decided by `purpose` and `of`: made once, a failure too. Of each purpose the last `kept` results
    /// are kept, since some are large.
    pub fn once<T: 'static, E: Clone + 'static>(
        &self,
        purpose: &'static str,
        kept: usize,
        of: &[&Value],
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Rc<T>, E> {
        let known = self
            .0
            .borrow()
            .iter()
            .find(|entry| entry.purpose == purpose && entry.of.iter().eq(of.iter().copied()))
            .and_then(|entry| entry.result.clone().downcast::<Result<Rc<T>, E>>().ok());
        if let Some(known) = known {
            return (*known).clone();
        }
        let result = make().map(Rc::new);
        let mut entries = self.0.borrow_mut();
        let mut surplus = entries.iter().filter(|entry| entry.purpose == purpose).count().saturating_sub(kept.saturating_sub(1));
        entries.retain(|entry| {
            let goes = entry.purpose == purpose && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
        let of = of.iter().map(|value| (*value).clone()).collect();
        entries.push(Entry { purpose, of, result: Rc::new(result.clone()) });
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_work_is_done_once_and_the_last_results_are_kept() {
        let (memo, made) = (Memo::default(), RefCell::new(Vec::new()));
        let get = |purpose: &'static str, number: i64| -> Result<i64, String> {
            let make = || {
                made.borrow_mut().push((purpose, number));
                if number < 0 { Err("negative".to_owned()) } else { Ok(number * number) }
            };
            memo.once(purpose, 2, &[&Value::Integer(number)], make).map(|square| *square)
        };
        assert_eq!([get("a", 3), get("a", 3), get("b", 3)], [Ok(9), Ok(9), Ok(9)]);
        assert_eq!([get("a", -1), get("a", -1)], [Err("negative".to_owned()), Err("negative".to_owned())]);
        assert_eq!(*made.borrow(), [("a", 3), ("b", 3), ("a", -1)]);
        get("a", 4).unwrap();
        get("a", 3).unwrap();
        assert_eq!(made.borrow().last(), Some(&("a", 3)), "the oldest has gone");
    }
}

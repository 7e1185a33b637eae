//! Pickles put together by hand, most of them by somebody who means no good.

use super::*;

fn read(bytes: &[u8]) -> Result<Pickle, Fault> {
    Pickle::read(bytes)
}

fn fault(bytes: &[u8]) -> String {
    read(bytes).map(|pickle| pickle.root().clone()).unwrap_err().what
}

/// `module.name` called with a tuple of one text.
fn call(module: &str, name: &str, argument: &str) -> Vec<u8> {
    let mut bytes = format!("c{module}\n{name}\n(X").into_bytes();
    bytes.extend((argument.len() as u32).to_le_bytes());
    bytes.extend(argument.as_bytes());
    bytes.extend(b"tR.");
    bytes
}

#[test]
fn functions_that_a_pickle_names_are_not_called() {
    for (module, name) in [("os", "system"), ("builtins", "eval"), ("builtins", "__import__"), ("torch", "load")] {
        let pickle = read(&call(module, name, "touch /tmp/was_here")).unwrap();
        assert_eq!(*pickle.root(), Object::Other(format!("{module}.{name}")));
    }
    // Also where the name comes from the stack, and where what a call made is called again.
    let from_stack = b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R)R.";
    assert_eq!(*read(from_stack).unwrap().root(), Object::Other("os.system".into()));
    assert_eq!(*read(b"(cos\nsystem\nX\x02\0\0\0lso.").unwrap().root(), Object::Other("os.system".into()));
    assert_eq!(*read(b"(X\x02\0\0\0lsios\nsystem\n.").unwrap().root(), Object::Other("os.system".into()));
    assert_eq!(*read(b"ccollections\nOrderedDict\n)R.").unwrap().root(), Object::Dictionary(vec![]));
}

#[test]
fn plain_objects_are_read() {
    let root = |bytes: &[u8]| read(bytes).unwrap().root().clone();
    assert_eq!(root(b"\x80\x02N."), Object::None);
    assert_eq!(root(b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."), Object::Integer(0x1950_a86a_20f9_469c_fc6c));
    assert_eq!(root(b"\x8a\x01\xff."), Object::Integer(-1));
    assert_eq!(root(b"\x8a\0."), Object::Integer(0));
    assert_eq!(root(b"J\xfe\xff\xff\xff."), Object::Integer(-2));
    assert_eq!(root(b"I12\n."), Object::Integer(12));
    assert_eq!(root(b"I01\n."), Object::Boolean(true));
    assert_eq!(root(b"G\x3f\xf8\0\0\0\0\0\0."), Object::Number(1.5));
    assert_eq!(root(b"K\x01K\x02\x86."), Object::Sequence(vec![0, 1]));
    assert_eq!(root(b"}(U\x01aK\x01U\x01bK\x02u."), Object::Dictionary(vec![(1, 2), (3, 4)]));
    assert_eq!(root(b"K\x07q\x05h\x05\x86."), Object::Sequence(vec![0, 0]));
}

#[test]
fn what_would_cost_much_is_refused() {
    // A million tuples in one another, and a list in itself.
    let mut deep = vec![b')'];
    deep.extend(std::iter::repeat_n(0x85, 1_000_000));
    deep.push(b'.');
    assert!(matches!(read(&deep).unwrap().root(), Object::Sequence(inner) if inner.len() == 1));
    assert!(matches!(read(b"]q\0h\0a.").unwrap().root(), Object::Sequence(inner) if *inner == [0]));
    deep.splice(0..1, std::iter::repeat_n(b')', 100_000));
    assert!(fault(&deep).contains("more than 1048576 objects"));
    // Lengths that nothing follows.
    for text in [&b"X\xff\xff\xff\xff"[..], b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff", b"\x8b\xff\xff\xff\x7f", b"B\0\0\0\x80"] {
        assert_eq!(fault(text), "it ends in the middle");
    }
    assert!(fault(&[b"\x8b\x20\0\0\0".as_slice(), &[1; 32], b"."].concat()).contains("32 bytes"));
    // One long list of pairs, made into tables over and over; one long name, copied over and over.
    let mut tables = b"](".to_vec();
    tables.extend(b"K\x01K\x02\x86".repeat(200_000));
    tables.extend(b"eq\x01ccollections\nOrderedDict\nq\x020");
    tables.extend(b"h\x02h\x01\x85R0".repeat(10));
    tables.push(b'.');
    assert!(fault(&tables).contains("tables have more than"));
    assert!(fault(&[b"c".as_slice(), &[b'a'; 300], b"\nb\n."].concat()).contains("a name of 302 letters"));
    let high = [b"K\x01".as_slice(), &vec![b'2'; HIGHEST_STACK + 1]].concat();
    assert!(fault(&high).contains("places"));
}

#[test]
fn contradictions_are_told_with_their_place() {
    for (bytes, what) in [
        (&b""[..], "it ends in the middle"),
        (b".", "it takes more objects than there are"),
        (b"t.", "it goes back to a mark that was not set"),
        (b"h\x05.", "nothing was kept under 5"),
        (b"\x80\x06.", "protocol 6 is newer than this reader"),
        (b"Nb.", "it takes more objects than there are"),
        (b"NNs.", "it takes more objects than there are"),
        (b"NNNs.", "it fills something that is no dictionary"),
        (b"NNa.", "it appends to something that is no list"),
        (b"}(Nu.", "a key without a value"),
        (b"N)R.", "it calls something that is no function"),
        (b"K\x01Q.", "a number stands where a tuple is due"),
        (b"ctorch._utils\n_rebuild_tensor_v2\nN\x85R.", "nothing stands where a storage is due"),
        (b"\xf0.", "the opcode 0xf0 is none that tables of tensors are written with"),
        (b"P1\n.", "the opcode 0x50 is none that tables of tensors are written with"),
        (b"(K\x01(0", "it takes more objects than there are"),
    ] {
        assert_eq!(fault(bytes), what, "{}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(
        read(b"\x80\x02NN\xf0").unwrap_err().to_string(),
        "byte 4 of its pickle: the opcode 0xf0 is none that tables of tensors are written with"
    );
}

//! The opcodes of pickle protocols 0 to 5 (CPython, Lib/pickletools.py), with what follows each.

/// What stands behind an opcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    /// Nothing.
    None,
    /// So many bytes.
    Bytes(u8),
    /// A length of so many bytes, then as many bytes as it says.
    Counted(u8),
    /// Text up to a line feed.
    Line,
    /// Two of those: module and name.
    Lines,
}

use Argument::{Bytes, Counted, Line, Lines, None as Nothing};

/// Every opcode.
static OPCODES: &[(u8, &str, Argument)] = &[
    (b'(', "MARK", Nothing),
    (b'.', "STOP", Nothing),
    (b'0', "POP", Nothing),
    (b'1', "POP_MARK", Nothing),
    (b'2', "DUP", Nothing),
    (b'F', "FLOAT", Line),
    (b'I', "INT", Line),
    (b'J', "BININT", Bytes(4)),
    (b'K', "BININT1", Bytes(1)),
    (b'L', "LONG", Line),
    (b'M', "BININT2", Bytes(2)),
    (b'N', "NONE", Nothing),
    (b'P', "PERSID", Line),
    (b'Q', "BINPERSID", Nothing),
    (b'R', "REDUCE", Nothing),
    (b'S', "STRING", Line),
    (b'T', "BINSTRING", Counted(4)),
    (b'U', "SHORT_BINSTRING", Counted(1)),
    (b'V', "UNICODE", Line),
    (b'X', "BINUNICODE", Counted(4)),
    (b'a', "APPEND", Nothing),
    (b'b', "BUILD", Nothing),
    (b'c', "GLOBAL", Lines),
    (b'd', "DICT", Nothing),
    (b'}', "EMPTY_DICT", Nothing),
    (b'e', "APPENDS", Nothing),
    (b'g', "GET", Line),
    (b'h', "BINGET", Bytes(1)),
    (b'i', "INST", Lines),
    (b'j', "LONG_BINGET", Bytes(4)),
    (b'l', "LIST", Nothing),
    (b']', "EMPTY_LIST", Nothing),
    (b'o', "OBJ", Nothing),
    (b'p', "PUT", Line),
    (b'q', "BINPUT", Bytes(1)),
    (b'r', "LONG_BINPUT", Bytes(4)),
    (b's', "SETITEM", Nothing),
    (b't', "TUPLE", Nothing),
    (b')', "EMPTY_TUPLE", Nothing),
    (b'u', "SETITEMS", Nothing),
    (b'G', "BINFLOAT", Bytes(8)),
    (b'B', "BINBYTES", Counted(4)),
    (b'C', "SHORT_BINBYTES", Counted(1)),
    (0x80, "PROTO", Bytes(1)),
    (0x81, "NEWOBJ", Nothing),
    (0x82, "EXT1", Bytes(1)),
    (0x83, "EXT2", Bytes(2)),
    (0x84, "EXT4", Bytes(4)),
    (0x85, "TUPLE1", Nothing),
    (0x86, "TUPLE2", Nothing),
    (0x87, "TUPLE3", Nothing),
    (0x88, "NEWTRUE", Nothing),
    (0x89, "NEWFALSE", Nothing),
    (0x8a, "LONG1", Counted(1)),
    (0x8b, "LONG4", Counted(4)),
    (0x8c, "SHORT_BINUNICODE", Counted(1)),
    (0x8d, "BINUNICODE8", Counted(8)),
    (0x8e, "BINBYTES8", Counted(8)),
    (0x8f, "EMPTY_SET", Nothing),
    (0x90, "ADDITEMS", Nothing),
    (0x91, "FROZENSET", Nothing),
    (0x92, "NEWOBJ_EX", Nothing),
    (0x93, "STACK_GLOBAL", Nothing),
    (0x94, "MEMOIZE", Nothing),
    (0x95, "FRAME", Bytes(8)),
    (0x96, "BYTEARRAY8", Counted(8)),
    (0x97, "NEXT_BUFFER", Nothing),
    (0x98, "READONLY_BUFFER", Nothing),
];

/// An opcode's name and what follows it.
pub(super) fn opcode(byte: u8) -> Option<(&'static str, Argument)> {
    OPCODES.iter().find(|(code, ..)| *code == byte).map(|(_, name, argument)| (*name, *argument))
}

/// An opcode's name.
pub(super) fn name(byte: u8) -> Option<&'static str> {
    opcode(byte).map(|(name, _)| name)
}

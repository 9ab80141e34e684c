//! What a pickle may import: names that do harm, names that tensors need, and everything else.
//!
//! The harmless list is closed: what is not on it is not trusted (as PyTorch's `weights_only` does it). The harmful
//! list only sharpens the words.

use serde::Serialize;

/// How an import is rated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rating {
    /// Runs code, reads or writes files, reaches the network.
    Dangerous,
    /// Not on the list of what tensors need.
    Unknown,
    /// What tensors need.
    Harmless,
}

/// Modules of which everything is dangerous, with all below them.
static DANGEROUS: &[&str] = &[
    "os",
    "posix",
    "nt",
    "posixpath",
    "ntpath",
    "subprocess",
    "sys",
    "socket",
    "ssl",
    "shutil",
    "pty",
    "runpy",
    "code",
    "codeop",
    "ctypes",
    "_ctypes",
    "importlib",
    "imp",
    "pickle",
    "_pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "webbrowser",
    "requests",
    "urllib",
    "urllib3",
    "http",
    "httplib",
    "httpx",
    "aiohttp",
    "ftplib",
    "smtplib",
    "telnetlib",
    "paramiko",
    "commands",
    "popen2",
    "multiprocessing",
    "threading",
    "asyncio",
    "concurrent",
    "signal",
    "bdb",
    "pdb",
    "timeit",
    "cProfile",
    "profile",
    "trace",
    "doctest",
    "idlelib",
    "lib2to3",
    "distutils",
    "setuptools",
    "pip",
    "ensurepip",
    "venv",
    "zipimport",
    "pkgutil",
    "inspect",
    "gc",
    "builtins.__import__",
    "torch.hub",
    "torch.utils.cpp_extension",
    "torch.utils._config_module",
    "torch.utils.collect_env",
    "torch._dynamo",
    "torch._inductor",
    "torch.jit",
    "torch.package",
    "torch.serialization",
    "torch.utils.bottleneck",
    "torch.utils.data.datapipes",
    "torch.fx",
    "numpy.testing",
    "numpy.f2py",
    "numpy.distutils",
    "numpy.load",
    "pandas.io",
    "pandas.eval",
    "scipy.weave",
    "tensorflow.python",
    "keras.utils",
    "jinja2",
    "yaml",
    "sympy",
    "networkx",
    "sklearn.externals",
    "tempfile",
    "pathlib",
    "io",
    "_io",
    "codecs.open",
    "fileinput",
    "glob",
    "sqlite3",
    "site",
    "platform",
];

/// Names that are dangerous in modules that are not.
static NAMES: &[(&str, &[&str])] = &[
    (
        "builtins",
        &[
            "eval",
            "exec",
            "compile",
            "open",
            "__import__",
            "getattr",
            "setattr",
            "delattr",
            "input",
            "breakpoint",
            "globals",
            "locals",
            "vars",
            "apply",
            "execfile",
            "map",
            "filter",
            "type",
            "memoryview",
            "super",
        ],
    ),
    (
        "__builtin__",
        &[
            "eval",
            "exec",
            "compile",
            "open",
            "__import__",
            "getattr",
            "setattr",
            "delattr",
            "input",
            "apply",
            "execfile",
            "file",
            "reload",
            "globals",
            "locals",
            "vars",
            "map",
            "filter",
        ],
    ),
    ("operator", &["attrgetter", "methodcaller", "itemgetter", "call"]),
    ("_operator", &["attrgetter", "methodcaller", "itemgetter", "call"]),
    ("functools", &["partial", "reduce", "partialmethod"]),
    ("types", &["CodeType", "FunctionType", "LambdaType", "MethodType"]),
    ("torch", &["load", "compile", "classes", "ops"]),
    ("torch.storage", &["_load_from_bytes"]),
    ("numpy", &["load", "fromfile", "memmap", "loadtxt", "genfromtxt", "save"]),
    ("numpy.core.multiarray", &["fromfile"]),
    ("collections", &["UserDict"]),
];

/// What tensors, optimizers and configurations need.
static HARMLESS: &[(&str, &[&str])] = &[
    ("collections", &["OrderedDict", "defaultdict", "Counter", "deque"]),
    (
        "builtins",
        &[
            "set",
            "frozenset",
            "dict",
            "list",
            "tuple",
            "int",
            "float",
            "bool",
            "str",
            "bytes",
            "bytearray",
            "complex",
            "slice",
            "range",
            "object",
        ],
    ),
    (
        "__builtin__",
        &[
            "set",
            "frozenset",
            "dict",
            "list",
            "tuple",
            "int",
            "long",
            "float",
            "bool",
            "str",
            "unicode",
            "bytearray",
            "complex",
            "slice",
            "xrange",
            "object",
        ],
    ),
    ("copyreg", &["_reconstructor"]),
    ("copy_reg", &["_reconstructor"]),
    ("_codecs", &["encode"]),
    (
        "torch",
        &[
            "FloatStorage",
            "DoubleStorage",
            "HalfStorage",
            "BFloat16Storage",
            "LongStorage",
            "IntStorage",
            "ShortStorage",
            "CharStorage",
            "ByteStorage",
            "BoolStorage",
            "ComplexFloatStorage",
            "ComplexDoubleStorage",
            "QInt8Storage",
            "QUInt8Storage",
            "QInt32Storage",
            "Size",
            "device",
            "dtype",
            "Tensor",
            "FloatTensor",
            "DoubleTensor",
            "HalfTensor",
            "BFloat16Tensor",
            "LongTensor",
            "IntTensor",
            "ByteTensor",
            "BoolTensor",
            "float32",
            "float16",
            "bfloat16",
            "float64",
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "bool",
            "per_tensor_affine",
            "strided",
        ],
    ),
    (
        "torch._utils",
        &[
            "_rebuild_tensor",
            "_rebuild_tensor_v2",
            "_rebuild_tensor_v3",
            "_rebuild_parameter",
            "_rebuild_parameter_with_state",
            "_rebuild_qtensor",
            "_rebuild_sparse_tensor",
            "_rebuild_meta_tensor_no_storage",
            "_rebuild_device_tensor_from_numpy",
        ],
    ),
    ("torch.storage", &["TypedStorage", "UntypedStorage", "_TypedStorage", "_UntypedStorage"]),
    ("torch.serialization", &["_get_layout"]),
    ("torch.nn.parameter", &["Parameter", "Buffer"]),
    ("torch._tensor", &["_rebuild_from_type_v2", "Tensor"]),
    ("torch.cuda", &["FloatTensor", "HalfTensor", "BFloat16Tensor", "LongTensor"]),
    (
        "numpy",
        &["ndarray", "dtype", "bool_", "float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8"],
    ),
    ("numpy.core.multiarray", &["_reconstruct", "scalar"]),
    ("numpy._core.multiarray", &["_reconstruct", "scalar"]),
    ("numpy.core.numeric", &["_frombuffer"]),
    ("numpy._core.numeric", &["_frombuffer"]),
    ("datetime", &["datetime", "date", "timedelta"]),
    ("argparse", &["Namespace"]),
];

fn names(list: &[(&str, &[&str])], module: &str, name: &str) -> bool {
    list.iter().any(|(known, names)| *known == module && names.contains(&name))
}

/// Rates an import.
pub fn rate(module: &str, name: &str) -> Rating {
    // why dots count: `c` takes dotted names, so `collections` and `OrderedDict.__init__.__globals__` is one import.
    let dunder = name.split('.').any(|part| part.starts_with("__") && part.ends_with("__"));
    if dunder || names(NAMES, module, name.split('.').next().unwrap_or_default()) {
        return Rating::Dangerous;
    }
    if names(HARMLESS, module, name) {
        return Rating::Harmless;
    }
    let full = format!("{module}.{name}");
    let below = |known: &str| module == known || module.starts_with(&format!("{known}.")) || full == known;
    if DANGEROUS.iter().any(|known| below(known)) { Rating::Dangerous } else { Rating::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings() {
        for (module, name, rating) in [
            ("os", "system", Rating::Dangerous),
            ("posix", "system", Rating::Dangerous),
            ("subprocess", "Popen", Rating::Dangerous),
            ("builtins", "eval", Rating::Dangerous),
            ("__builtin__", "exec", Rating::Dangerous),
            ("builtins", "getattr", Rating::Dangerous),
            ("importlib", "import_module", Rating::Dangerous),
            ("torch.hub", "load", Rating::Dangerous),
            ("torch", "load", Rating::Dangerous),
            ("urllib.request", "urlopen", Rating::Dangerous),
            ("collections", "OrderedDict.__init__.__globals__", Rating::Dangerous),
            ("builtins", "eval.__call__", Rating::Dangerous),
            ("torch.serialization", "load", Rating::Dangerous),
            ("torch.serialization", "_get_layout", Rating::Harmless),
            ("collections", "OrderedDict", Rating::Harmless),
            ("torch._utils", "_rebuild_tensor_v2", Rating::Harmless),
            ("torch", "FloatStorage", Rating::Harmless),
            ("numpy.core.multiarray", "_reconstruct", Rating::Harmless),
            ("my_package.model", "Net", Rating::Unknown),
            ("", "", Rating::Unknown),
            ("ostrich", "system", Rating::Unknown),
        ] {
            assert_eq!(rate(module, name), rating, "{module}.{name}");
        }
    }
}

"""What hayate raises: Error, and a class for each kind of it (include/hayate/error.h)."""


class Error(Exception):
    """The base of all. Its text names the thing, what was found and what was expected."""


class UsageError(Error, ValueError):
    """The caller asked for something impossible: a size, a name, a combination."""


class NotFoundError(Error, FileNotFoundError):
    """A file, folder or named thing does not exist."""


class BadFileError(Error):
    """A file's content breaks its format."""


class BadModelError(Error):
    """Files are well formed, but do not make a model that hayate knows."""


class UnsupportedError(Error):
    """Valid, but not something that this build or this device can do."""


class OutOfMemoryError(Error, MemoryError):
    """Memory of the host or of the device is not enough. What would fit is in the text."""


class IoError(Error, OSError):
    """The operating system refused: disk full, permission."""


class NotFiniteError(Error, ArithmeticError):
    """A computation produced NaN or infinity."""


class CancelledError(Error):
    """Pipeline.stop() was called."""


class InternalError(Error):
    """A broken invariant: a bug in hayate."""


class HayateWarning(UserWarning):
    """Something that went on nevertheless, such as a prompt that was cut."""

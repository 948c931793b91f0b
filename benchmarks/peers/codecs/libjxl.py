"""Lossless encoding by libjxl's C interface: its Python packages do not pass on all its options."""

import ctypes
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.data.pictures import Pixels

OPTIONS = {"-e": 0, "-g": 26, "-E": 29}  # as cjxl calls them: JxlEncoderFrameSettingId
KEEP_INVISIBLE = 12  # another one: pixels under alpha 0 are coded as they are


def library_of_imagecodecs() -> Path | None:
    """The shared library that the wheel of imagecodecs carries."""
    spec = find_spec("imagecodecs")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent.with_name("imagecodecs.libs")
    return next(folder.glob("libjxl-*.so.*"), None)


class Encoder:
    """An encoder in a shared library, which finds the libraries that it needs, or has them."""

    def __init__(self, library: Path) -> None:
        self.library = ctypes.CDLL(str(library))
        for name in ("JxlEncoderCreate", "JxlEncoderFrameSettingsCreate"):
            getattr(self.library, name).restype = ctypes.c_void_p

    def encode(self, pixels: Pixels, options: dict[str, int]) -> bytes:
        """Encode 8-bit gray or RGB pixels, or either with alpha, as a bare codestream.

        One thread is used.

        Raises
        ------
        ValueError
            If libjxl refuses an option or fails.
        """
        encoder = ctypes.c_void_p(self.library.JxlEncoderCreate(None))
        try:
            return self._encode(encoder, pixels, options)
        finally:
            self.library.JxlEncoderDestroy(encoder)

    def _encode(self, encoder: ctypes.c_void_p, pixels: Pixels, options: dict[str, int]) -> bytes:
        height, width = pixels.shape[:2]
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        alpha = int(channels in (2, 4))

        info = (ctypes.c_uint32 * 64)()  # JxlBasicInfo: 51 fields of 4 bytes
        self.library.JxlEncoderInitBasicInfo(info)
        info[1], info[2], info[3] = width, height, 8  # bits a sample
        info[9] = 1  # the original profile, so that nothing is converted
        info[13], info[14], info[15] = channels - alpha, alpha, 8 * alpha
        self._call("JxlEncoderSetBasicInfo", encoder, info)
        color = (ctypes.c_double * 32)()  # JxlColorEncoding: less than 128 bytes
        self.library.JxlColorEncodingSetToSRGB(color, int(channels < 3))
        self._call("JxlEncoderSetColorEncoding", encoder, color)

        frame = ctypes.c_void_p(self.library.JxlEncoderFrameSettingsCreate(encoder, None))
        self._call("JxlEncoderSetFrameLossless", frame, 1)
        settings = {OPTIONS[name]: value for name, value in options.items()}
        for number, value in (settings | ({KEEP_INVISIBLE: 1} if alpha else {})).items():
            setting = ctypes.c_int(number), ctypes.c_int64(value)
            self._call("JxlEncoderFrameSettingsSetOption", frame, *setting)
        data = pixels.tobytes()
        layout = (ctypes.c_uint64 * 3)(channels | 2 << 32)  # JxlPixelFormat: 8 bit, no alignment
        size = ctypes.c_size_t(len(data))
        self._call("JxlEncoderAddImageFrame", frame, layout, data, size)
        self.library.JxlEncoderCloseInput(encoder)

        room = 2 * len(data) + 65536
        out = ctypes.create_string_buffer(room)
        following, left = ctypes.c_void_p(ctypes.addressof(out)), ctypes.c_size_t(room)
        pointers = ctypes.byref(following), ctypes.byref(left)
        self._call("JxlEncoderProcessOutput", encoder, *pointers)
        return out.raw[: room - left.value]

    def _call(self, name: str, *arguments: Any) -> None:
        if status := getattr(self.library, name)(*arguments):
            raise ValueError(f"{name} failed with status {status}")

"""Downloads: pooch checks the hash of a file before the file gets its name.

HTTP clients are imported when they are used: most commands need none.
"""

from pathlib import Path

TIMEOUT = 30  # seconds without an answer
BLOCK = 1 << 16  # bytes
REGISTRY_LIMIT = 1 << 20  # bytes; a registry has a few hundred per model


class DownloadError(Exception):
    """Why one address did not give the file: a few words, without the address."""


def retrieve(url: str, sha256: str, size: int, folder: Path, file_name: str) -> Path:
    """Download a file of known hash, unless it is in the folder already.

    Parameters
    ----------
    url : str
        An http or https address.
    sha256 : str
        The hash the file must have.
    size : int
        Its size in bytes, to recognise a download that broke off.
    folder : Path
        Where to keep it; made if need be.
    file_name : str
        Its name there.

    Raises
    ------
    DownloadError
        The address gave no file, or not this one; nothing is left in the folder.
    """
    import logging

    import pooch
    import requests

    pooch.get_logger().setLevel(logging.WARNING)
    received = 0

    def get(url: str, output_file: str, _: object) -> None:
        nonlocal received
        # pooch's own downloader does not close an answer that breaks off.
        with requests.get(url, timeout=TIMEOUT, stream=True) as answer:
            answer.raise_for_status()
            with open(output_file, "wb") as file:
                for block in answer.iter_content(BLOCK):
                    if received + len(block) > size:
                        raise DownloadError(f"it is larger than the {size} bytes announced")
                    received += file.write(block)

    try:
        path = pooch.retrieve(url, f"sha256:{sha256}", file_name, folder, downloader=get)
    except (OSError, ValueError) as error:  # those of requests are OSErrors
        raise DownloadError(_reason(error, received, size, sha256, folder)) from error
    return Path(path)


def _reason(error: Exception, received: int, size: int, sha256: str, folder: Path) -> str:
    """Say in a few words why a download gave no file."""
    import requests

    if isinstance(error, requests.HTTPError):
        status = error.response.status_code if error.response is not None else "error"
        return f"HTTP {status}"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT} s"
    broken = f"the download broke off after {received} of {size} bytes"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return broken
    if isinstance(error, requests.ConnectionError):
        return "no connection (is this machine offline?)"
    if isinstance(error, requests.RequestException):
        return f"{type(error).__name__}: {error}"
    if isinstance(error, ValueError):  # pooch's word for a wrong hash
        if received < size:
            return broken
        return f"not the file that the registry names: its SHA-256 is not {sha256}"
    reason = error.strerror if isinstance(error, OSError) else None
    return f"cannot write to {folder}: {reason or error}"


def read_text(url: str) -> str:
    """Return the UTF-8 text at an http or https address.

    Raises
    ------
    OSError
        No server, no such page, or a page too large for a registry.
    """
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            data: bytes = answer.read(REGISTRY_LIMIT + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError(f"HTTP {error.code}") from error
    except urllib.error.URLError as error:
        raise OSError(f"no connection (is this machine offline?): {error.reason}") from error
    if len(data) > REGISTRY_LIMIT:
        raise OSError(f"it is larger than {REGISTRY_LIMIT} bytes")
    return data.decode("utf-8")

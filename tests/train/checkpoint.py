"""checkpoint.py: checkpoints that are not as a run left them."""
import struct
import zipfile


def with_number(source, to, name, v):
    """The checkpoint with one number, or the first of an array, another one."""
    to.mkdir()
    with zipfile.ZipFile(source / "checkpoint.npz") as a, zipfile.ZipFile(to / "checkpoint.npz", "w") as z:
        for member in a.namelist():
            b = a.read(member)
            at = 10 + struct.unpack("<H", b[8:10])[0]
            z.writestr(member, b[:at] + struct.pack("<d", v) + b[at + 8:] if member == name + ".npy" else b)

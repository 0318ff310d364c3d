"""Signs that look like others, or like nothing."""

from string import ascii_lowercase, ascii_uppercase, digits

LOOK_ALIKES = str.maketrans(
    "aceopxyiABCEHKMOPTX0123456789=-",
    "асеорхуіАВСЕНКМОРТХ０１２３４５６７８９＝‐",
)
INVISIBLE = ("\u200b", "\u00ad", "\ufeff", "\u2060", "\x00", "\x7f", "\u00a0")
BASE64 = f"{ascii_uppercase}{ascii_lowercase}{digits}+/"

r"""Letters of scripts that put no blanks between words: Han, kana, Thai, Lao, Khmer and Myanmar.

Their digits are left out: a number is one word in every script. A frozen table, as that of marks
is; a test compares it with the names of the characters.
"""

LETTER_RANGES = (  # hexadecimal code points, inclusive ranges; none of them is a mark
    "e01-e30 e32-e33 e40-e46 "  # Thai
    "e81-e82 e84 e86-e8a e8c-ea3 ea5 ea7-eb0 eb2-eb3 ebd ec0-ec4 ec6 edc-edf "  # Lao
    "1000-102a 103f 1050-1055 105a-105d 1061 1065-1066 106e-1070 1075-1081 108e "  # Myanmar
    "a9e0-a9e4 a9e6-a9ef a9fa-a9fe aa60-aa76 aa7a aa7e-aa7f "
    "1780-17b3 17d7 17dc "  # Khmer
    "3041-3096 309d-309f 30a1-30fa 30fc-30ff 31f0-31ff ff66-ff9f 1aff0-1b122 1b132 1b150-1b167 "
    "3005-3007 3021-3029 3031-3035 3038-303c 3400-4dbf 4e00-9fff f900-faff 20000-3fffd "  # Han
)
# Letters by category, but part of the cluster before them: two vowels, and the marks of sound of
# narrow kana.
TRAILING = "\u0e33\u0eb3\uff9e\uff9f"
STACKERS = "\u1039\u17d2"  # put the next consonant under the one before: one cluster

from __future__ import annotations

import hashlib
import importlib.util
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gptviz import tokenizer
from gptviz.tokenizer import END_OF_TEXT, VOCABULARY, VOCABULARY_SHA256, Tokenizer, visible

SIZES = (257, 300, 8192, 50257, 50304)

HOSTILE = [
    "Once upon a time there was a dear little girl",
    "unbelievably antidisestablishmentarianism",
    "we'll they've I'm 'tis it's 's 'S 'll don''t '",
    "  two  spaces   \n\n and\ttabs \r\n ",
    "3.14159 1,000,000 x² ½ Ⅷ ٣٤",
    "naïve façade Straße Ωμέγα дом 深い谷 שלום مرحبا हिन्दी",
    "👨\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 🇩🇪 e\u0301 \u202eabc",
    "<img src=x onerror=alert(1)> $x$ :red[x] `a` **b** <|endoftext|> after",
    "\x00\x07\x1b[31m\x1c\x1d\x1e\x1f\x7f\x85\xa0\u2003\u2028\u3000",
    "half \ud83d a \ude00 pair \ud83d\ude00",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "",
]

any_text = st.text(st.characters(codec="utf-8"))


@pytest.fixture
def fresh():
    """Forget the vocabulary before and after: the test reads the file itself."""
    tokenizer._ranks.cache_clear()
    tokenizer._encoding.cache_clear()
    yield
    tokenizer._ranks.cache_clear()
    tokenizer._encoding.cache_clear()


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Every effort moves you", [6109, 3626, 6100, 345]),
        ("Every day holds a", [6109, 1110, 6622, 257]),
        ("Hello, I am", [15496, 11, 314, 716]),
        ("<|endoftext|>", [50256]),
        ("a<|endoftext|>b", [64, 50256, 65]),
        ("", []),
    ],
)
def test_ids_of_gpt2(text, ids):
    assert Tokenizer().encode(text) == ids
    assert Tokenizer().decode(ids) == text


def test_the_pieces_are_those_of_gpt2():
    text = "we'll  see 42 «things»,\n\n it's   over \n"
    pieces = [Tokenizer().decode([i]) for i in Tokenizer().encode(text)]
    assert pieces[:6] == ["we", "'ll", " ", " see", " 42", " «"]
    assert "".join(pieces) == text


@pytest.mark.parametrize("size", SIZES)
@given(text=any_text)
def test_any_text_comes_back(size, text):
    some = Tokenizer(size)
    ids = some.encode(text)
    assert some.decode(ids) == text
    assert all(0 <= i < size for i in ids)


@given(text=any_text)
def test_a_cut_vocabulary_is_the_first_ranks(text):
    whole, cut = Tokenizer(), Tokenizer(1000)
    for i in cut.encode(text):
        assert i < 999
        assert cut.token_bytes(i) == whole.token_bytes(i)


def test_in_a_cut_vocabulary_the_last_id_ends_a_text():
    assert Tokenizer(8192).encode("<|endoftext|>") == [8191]
    assert Tokenizer(8192).token_bytes(8191) == b"<|endoftext|>"
    assert Tokenizer(8192).token_bytes(8190) == Tokenizer().token_bytes(8190)


def test_the_smallest_vocabulary_is_single_bytes():
    some = Tokenizer(257)
    assert [some.token_bytes(i) for i in some.encode("né")] == [b"n", b"\xc3", b"\xa9"]
    assert {some.token_bytes(i) for i in range(256)} == {bytes([b]) for b in range(256)}


def test_ids_past_gpt2s_stand_for_no_text():
    wide = Tokenizer(50304)
    assert wide.encode("<|endoftext|>") == [50256]
    assert wide.decode([64, 50300, 65]) == "ab"
    assert wide.label(50300) == "unused 50300"


@pytest.mark.parametrize("token_id", [-1, 8192, 10**9])
def test_an_id_outside_is_refused(token_id):
    with pytest.raises(ValueError, match=f"token id {token_id} must be from 0 to 8191"):
        Tokenizer(8192).token_bytes(token_id)


def test_too_small_a_vocabulary_is_refused():
    with pytest.raises(ValueError, match=r"vocab_size=256 must be at least 257.*: try 257"):
        Tokenizer(256)


def test_labels_show_what_can_not_be_seen():
    some = Tokenizer()
    assert some.labels(some.encode(" so\n\tis")) == ["␣so", "⏎", "⇥", "is"]
    assert some.label(some.encode("\x00")[0]) == "\\x00"
    assert some.label(some.encode("\u200b")[0]).startswith("\\")


def test_parts_of_a_character_are_shown_as_bytes():
    labels = Tokenizer(257).labels(Tokenizer(257).encode("a🙂"))
    assert labels == ["a", "\\xf0", "\\x9f", "\\x99", "\\x82"]
    assert Tokenizer(257).decode(Tokenizer(257).encode("🙂")[:2]) == "\ufffd"


@pytest.mark.parametrize("size", [300, 50257])
def test_every_label_is_one_printable_line(size):
    labels = Tokenizer(size).labels(range(size))
    assert all(label and label.isprintable() and " " not in label for label in labels)


def test_many_texts_at_once_give_the_same_ids():
    texts = ["Once upon a time", "", "<|endoftext|> né"]
    assert Tokenizer().encode_batch(texts) == [Tokenizer().encode(text) for text in texts]


def test_the_vocabulary_file_is_the_one_that_is_checked_for():
    assert hashlib.sha256(VOCABULARY.read_bytes()).hexdigest() == VOCABULARY_SHA256


@pytest.mark.usefixtures("fresh")
def test_a_damaged_vocabulary_is_refused(monkeypatch, tmp_path):
    damaged = tmp_path / "r50k_base.tiktoken"
    content = bytearray(VOCABULARY.read_bytes())
    content[1000] ^= 1
    damaged.write_bytes(content)
    monkeypatch.setattr(tokenizer, "VOCABULARY", damaged)
    with pytest.raises(ValueError, match=r"[Hh]ash"):
        Tokenizer()


@pytest.mark.usefixtures("fresh")
def test_no_network_is_needed(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("the tokenizer opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert Tokenizer().encode("Hello, I am") == [15496, 11, 314, 716]


def test_the_script_that_made_the_vocabulary_checks_the_published_hashes(root, tmp_path):
    place = root / "scripts" / "make_vocabulary.py"
    spec = importlib.util.spec_from_file_location("make_vocabulary", place)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for name in ("vocab.bpe", "encoder.json"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(ValueError, match=r"[Hh]ash"):
        script.main(tmp_path)


def steps(some, word):
    """The pieces of a word after its last join; every join must be what it says it is."""
    pieces = tuple(bytes([byte]) for byte in word)
    for join in some.joins(word):
        assert some.token_bytes(join.rank) == join.left + join.right
        after = join.place + 2
        assert pieces[join.place : after] == (join.left, join.right)
        assert join.pieces == (*pieces[: join.place], join.left + join.right, *pieces[after:])
        pieces = join.pieces
    return pieces


def joined(some, text):
    """The bytes of a text's tokens, made by cutting it into words and joining inside each."""
    words = [word for word in some.words(text) if word != END_OF_TEXT]
    return [piece for word in words for piece in steps(some, word.encode())]


def tokens(some, text):
    return [some.token_bytes(i) for i in some.encode(text) if i != some.end_of_text]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("text", HOSTILE)
def test_words_and_joins_end_in_the_tokens(text, size):
    assert joined(Tokenizer(size), text) == tokens(Tokenizer(size), text)


@pytest.mark.parametrize("size", SIZES)
@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cn"])))
def test_words_and_joins_of_any_text_end_in_its_tokens(size, text):
    assert joined(Tokenizer(size), text) == tokens(Tokenizer(size), text)


def test_the_joins_of_every_token_end_in_it():
    whole = Tokenizer()
    for i in range(50256):
        *_, pieces = [(), *(join.pieces for join in whole.joins(whole.token_bytes(i)))]
        assert pieces == (whole.token_bytes(i),) or len(whole.token_bytes(i)) == 1


def test_the_lowest_rank_is_joined_first_and_of_equals_the_leftmost():
    found = [(j.left, j.right, j.rank, j.place) for j in Tokenizer().joins(b" there there")]
    assert found[:2] == [(b" ", b"t", 256, 0), (b" ", b"t", 256, 5)]
    ranks = [rank for *_, rank, _ in found]
    assert ranks == sorted(ranks)


def test_a_cut_vocabulary_stops_earlier():
    def ranks(size):
        return [join.rank for join in Tokenizer(size).joins(b" somebody")]

    assert ranks(257) == []
    for size in (300, 1000, 8192):
        assert ranks(size) == [rank for rank in ranks(50257) if rank < size - 1]


def test_words_are_cut_as_gpt2_does():
    some = Tokenizer()
    assert some.words("we'll  see 42!!") == ["we", "'ll", " ", " see", " 42", "!!"]
    assert some.words("a<|endoftext|> b") == ["a", "<|endoftext|>", " b"]
    assert some.words("half \ud83d") == ["half", " \ufffd"]
    assert some.words("deux\u00a0ou٣x \n") == ["deux", "\u00a0", "ou", "٣", "x", " \n"]


@given(text=any_text)
def test_words_are_the_text(text):
    assert "".join(Tokenizer().words(text)) == text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("size", [257, 8192])
def test_the_tokens_of_a_word_are_its_bytes(text, size):
    some = Tokenizer(size)
    ids = some.encode(text)
    found = some.word_tokens(text, ids)
    assert [i for _, places in found for i in places] == list(range(len(ids)))
    for word, places in found:
        assert b"".join(some.token_bytes(ids[i]) for i in places) == word.encode()


def test_words_past_the_last_token_are_left_out():
    some = Tokenizer(257)
    ids = some.encode("two words more")[:5]
    assert some.word_tokens("two words more", ids) == [("two", range(3)), (" words", range(3, 5))]
    assert some.word_tokens("two words more", []) == []


def test_a_word_of_ten_thousand_letters_is_joined():
    word = "qwertzuiop" * 1000
    assert joined(Tokenizer(), word) == tokens(Tokenizer(), word)


def test_bytes_are_made_visible():
    assert visible(b" the\n") == "␣the⏎"
    assert visible("🙂".encode()[:2]) == "\\xf0\\x9f"
    assert visible("\u202e\u200d".encode()) == "\\u202e\\u200d"

"""Numbers that both sides can draw: a function of a key and an index, written here and in tests/suite/parity/drawing.rs.

The key's 64-bit FNV-1a hash is the seed of SplitMix64 (Steele et al. 2014), whose i-th output gives the i-th number: its upper 24
bits as a number in [-1, 1). Products and sums are in double precision, the result is rounded to single, so that the bits are equal.
"""

import numpy


def seed(key):
    state = 0xCBF29CE484222325
    for byte in key.encode():
        state = (state ^ byte) * 0x100000001B3 % 2**64
    return state


def uniform(key, count):
    """`count` numbers in [-1, 1)."""
    with numpy.errstate(over="ignore"):
        z = numpy.uint64(seed(key)) + numpy.arange(1, count + 1, dtype=numpy.uint64) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z ^= z >> numpy.uint64(31)
    return (z >> numpy.uint64(40)).astype(numpy.float64) / 2**23 - 1


def draw(key, shape, centre, spread):
    """A tensor of numbers between centre - spread and centre + spread, in single precision."""
    numbers = centre + spread * uniform(key, int(numpy.prod(shape)))
    return numbers.astype(numpy.float32).reshape(shape)


def labels(key, shape):
    """Zeros and ones."""
    return (uniform(key, int(numpy.prod(shape))) >= 0).astype(numpy.float32).reshape(shape)

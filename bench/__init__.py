"""The benchmarks: ``python -m bench``.  See docs/benchmarks.rst for how to read them."""

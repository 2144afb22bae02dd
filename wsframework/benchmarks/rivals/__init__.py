"""Rivals: packages that find permutations, too, each run in a process of its own and judged alike.

They are no dependencies. Each has a folder below that of the variable ``WSF_RIVALS``, named as the package is,
into which pip installed it (``pip install --no-deps --target``): two of them share the import name ``rebasin``.
"""

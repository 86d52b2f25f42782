"""Small symmetric positive definite systems, without a library (Cholesky)."""

from collections.abc import Sequence
from math import sqrt


def solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """x of matrix·x = right. Raises ValueError for a matrix that is not positive definite."""
    return _back(_cholesky(matrix), right)


def inverse_diagonal(matrix: Sequence[Sequence[float]]) -> list[float]:
    """The diagonal of the inverse: variances, of a matrix of curvatures."""
    lower = _cholesky(matrix)
    size = len(matrix)
    found = []
    for n in range(size):
        column = [0.0] * size
        for row in range(n, size):
            part = 1.0 if row == n else 0.0
            part -= sum(lower[row][k] * column[k] for k in range(n, row))
            column[row] = part / lower[row][row]
        found.append(sum(value * value for value in column))
    return found


def _cholesky(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    size = len(matrix)
    lower = [[0.0] * size for _ in range(size)]
    for row in range(size):
        mine = lower[row]
        for column in range(row + 1):
            other = lower[column]
            rest = matrix[row][column] - sum(mine[k] * other[k] for k in range(column))
            if row > column:
                mine[column] = rest / other[column]
            elif rest > 0:
                mine[row] = sqrt(rest)
            else:
                raise ValueError("not positive definite")
    return lower


def _back(lower: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    size = len(lower)
    found = list(right)
    for row in range(size):
        found[row] -= sum(lower[row][k] * found[k] for k in range(row))
        found[row] /= lower[row][row]
    for row in range(size - 1, -1, -1):
        found[row] -= sum(lower[k][row] * found[k] for k in range(row + 1, size))
        found[row] /= lower[row][row]
    return found

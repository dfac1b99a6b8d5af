"""Computes the expected values of tests/indicators.rs from data/prices.csv.

Plain Python, standard library only, written without a look at the Rust code and built
differently: 60-digit decimals, and every recursive average is written out as the weighted
sum that it stands for. Run: python3 indicators.py > indicators.csv
"""
import csv
import pathlib
import statistics
from decimal import Decimal, getcontext

getcontext().prec = 60
ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = [
    ("AAPL", "2022-06-30"), ("AAPL", "2016-02-22"), ("AAPL", "2020-03-23"), ("MSFT", "2022-12-28"),
    ("GE", "2018-12-31"), ("RRC", "2020-06-15"), ("^GSPC", "2019-07-03"), ("KO", "2017-01-04"),
    ("VLUE", "2021-11-12"), ("AMD", "2016-03-31"),
]


def weighted_sum(values, period, weight):
    """average(t) = (1-w)^(t) * seed + sum of w * (1-w)^(age) * value, seed = mean of the first values."""
    seed = statistics.mean(values[:period])
    later = values[period:]
    keep = 1 - weight
    return seed * keep ** len(later) + sum(
        weight * keep ** age * value for age, value in enumerate(reversed(later))
    )


def ema(values, period):
    return weighted_sum(values, period, Decimal(2) / (period + 1))


def wilder(values, period):
    return weighted_sum(values, period, Decimal(1) / period)


def macd_line(closes):
    return ema(closes[14:], 12) - ema(closes, 26)


def results(closes):
    n = len(closes)
    if n >= 50:
        yield "close_50_sma", statistics.mean(closes[-50:])
    if n >= 200:
        yield "close_200_sma", statistics.mean(closes[-200:])
        yield "distance_from_200_sma", closes[-1] / statistics.mean(closes[-200:]) - 1
    yield "close_10_ema", ema(closes, 10)
    line = [macd_line(closes[:end]) for end in range(26, n + 1)]
    if len(line) >= 9:
        signal = ema(line, 9)
        yield "macd", line[-1]
        yield "macds", signal
        yield "macdh", line[-1] - signal
    moves = [later - earlier for earlier, later in zip(closes, closes[1:])]
    gain = wilder([move if move > 0 else Decimal(0) for move in moves], 14)
    loss = wilder([-move if move < 0 else Decimal(0) for move in moves], 14)
    yield "rsi", 100 - 100 / (1 + gain / loss)
    window = closes[-20:]
    deviation = statistics.pstdev(window)
    yield "boll", statistics.mean(window)
    yield "boll_ub", statistics.mean(window) + 2 * deviation
    yield "boll_lb", statistics.mean(window) - 2 * deviation
    for days in (21, 63, 252):
        if n > days:
            yield f"return_{days}d", (closes[-1] - closes[-1 - days]) / closes[-1 - days]
    if n > 252:
        year = closes[-253:]
        logs = [close.ln() for close in year]
        yield "volatility_252d", statistics.stdev(b - a for a, b in zip(logs, logs[1:])) * Decimal(252).sqrt()
        yield "max_drawdown_252d", min(
            year[later] / year[peak] - 1 for later in range(253) for peak in range(later + 1)
        )


def main():
    rows = list(csv.DictReader(open(ROOT / "data" / "prices.csv", newline="")))
    print("# Written by indicators.py beside this file, from data/prices.csv; see README.md.")
    print("ticker,date,indicator,value")
    for ticker, date in CASES:
        closes = [Decimal(row[ticker]) for row in rows if row["Date"] <= date]
        for name, value in results(closes):
            print(f"{ticker},{date},{name},{value:.9f}")


main()

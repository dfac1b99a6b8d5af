"""Two automatic runs of one portfolio on the bundled sample, computed without the program.

    python auto.py

It follows the rules of the rehearsal as its documentation states them (crates/workflows/src/trading/rehearsal.rs), those
of the portfolio, and the formulas of docs/trading-figures.md, and writes the tables beside it. The score of a stock is
taken from the calculation of a backtest, which is independent of the program as well. It uses the standard library alone.
"""

import csv
import math
import sys
from datetime import date
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path

HERE = Path(__file__).parent
sys.path.append(str(HERE / "../../../crates/workflows/tests/independent"))
from backtest import SAMPLE, figures, grade, score, write  # noqa: E402

DAYS = [date(2022, 6, 30), date(2022, 12, 28)]
INDEX = "^GSPC"
NO_SECTORS = {"Index", "Factor ETF"}
CASH = Decimal(100_000)
MOST = 3
ENOUGH = 5
MAX_POSITION, MAX_SECTOR, MIN_CASH = Decimal("0.15"), Decimal("0.35"), Decimal("0.05")
# High conviction of a Buy, medium conviction of an Overweight.
PRIORITY = {"Buy": 3, "Overweight": 2}
WEIGHT = {"Buy": Decimal("0.10"), "Overweight": Decimal("0.07")}


def load():
    with open(SAMPLE / "prices.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    days = [date.fromisoformat(row["Date"]) for row in rows]
    closes = {name: [Decimal(row[name]) for row in rows] for name in rows[0] if name != "Date"}
    with open(SAMPLE / "instruments.csv", newline="") as file:
        sectors = {row["ticker"]: row["sector"] for row in csv.DictReader(file)}
    return days, closes, sectors


def rounded(value, places):
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def proposals(closes, sectors):
    """The stocks that the scan proposes, from all closes up to its day: the best first."""
    stocks = sorted(name for name in sectors if sectors[name] not in NO_SECTORS)
    months = {name: closes[name][-1] / closes[name][-22] - 1 for name in stocks}
    quarters = {name: rounded(closes[name][-1] / closes[name][-64] - 1, 4) for name in stocks}
    of_sector = {}
    for name in stocks:
        of_sector.setdefault(sectors[name], []).append(months[name])
    means = {sector: rounded(sum(members) / len(members), 4) for sector, members in of_sector.items()}
    leading = sorted(means, key=lambda sector: (-means[sector], sector))[:3]
    highs = [
        name for name in stocks if closes[name][-1] > max(closes[name][-252:-1]) and rounded(closes[name][-1], 2) > 10
    ]
    highs.sort(key=lambda name: (-rounded(months[name], 4), name))
    points = {
        name: (rounded(months[name], 4) > 0)
        + (quarters[name] >= Decimal("0.05"))
        + (closes[name][-1] * 50 > sum(closes[name][-50:]))
        + (closes[name][-1] * 200 > sum(closes[name][-200:]))
        + (sectors[name] in leading)
        + 2 * (name in highs[:8])
        for name in stocks
    }
    found = [name for name in stocks if points[name] >= ENOUGH]
    found.sort(key=lambda name: (-points[name], -quarters[name], name))
    return found[:MOST]


def decide(book, analysed, known, index_score, prices, sectors):
    """What is sold, and what is bought with it, at the day's closes: (side, ticker, quantity, stop, target)."""
    cash, held = book
    total = cash + sum(quantity * prices[name] for name, quantity in held.items())
    grades = {name: grade(score(known[name])) for name in analysed}
    orders, kept = [], {}
    for name, quantity in held.items():
        figure = known[name]
        broken = figure["close"] < figure["sma200"] and figure["sma50"] < figure["sma200"]
        if broken or grades[name] in ("Sell", "Underweight"):
            orders.append(("SELL", name, quantity, None, None))
            cash += quantity * prices[name]
        else:
            kept[name] = quantity * prices[name]
    candidates = []
    for name in sorted(analysed):
        if grades[name] not in PRIORITY:
            continue
        same = [held[other] * prices[other] / total for other in held if sectors[other] == sectors[name]]
        spread = Decimal(2)
        if same:
            weight = sum(same)
            spread = Decimal(0) if weight >= MAX_SECTOR else Decimal(1)
            if spread and weight >= MAX_SECTOR * Decimal("0.7"):
                spread = Decimal("0.5")
        priority = PRIORITY[grades[name]] * spread * (Decimal("0.5") if name in held else 1)
        candidates.append((-priority, name))
    of_sector = {}
    for name, value in kept.items():
        of_sector[sectors[name]] = of_sector.get(sectors[name], Decimal(0)) + value
    for priority, name in sorted(candidates):
        if not priority or (name in held and name not in kept):
            continue
        weight = WEIGHT[grades[name]] / (2 if index_score <= -3 else 1)
        sector = of_sector.get(sectors[name], Decimal(0))
        room = min(
            min(weight, MAX_POSITION) * total - kept.get(name, Decimal(0)),
            MAX_SECTOR * total - sector,
            cash - MIN_CASH * total,
        )
        quantity = (room / prices[name]).quantize(Decimal(1), ROUND_FLOOR)
        if quantity < 1:
            continue
        cash -= quantity * prices[name]
        of_sector[sectors[name]] = sector + quantity * prices[name]
        stop, target = (
            (prices[name] * Decimal(factor)).quantize(Decimal("0.01"), ROUND_HALF_EVEN) for factor in ("0.90", "1.20")
        )
        orders.append(("BUY", name, quantity, stop, target))
    return orders


def trade(book, orders, prices):
    cash, held = book
    held = dict(held)
    for side, name, quantity, _, _ in orders:
        sign = 1 if side == "BUY" else -1
        cash -= sign * quantity * prices[name]
        held[name] = held.get(name, Decimal(0)) + sign * quantity
    return cash, {name: quantity for name, quantity in held.items() if quantity}


def ratios(values, index):
    """The five figures beside a portfolio; losses are negative."""
    own = [float(after / before - 1) for before, after in zip(values, values[1:])]
    other = [float(after / before - 1) for before, after in zip(index, index[1:])]
    count = len(own)
    mean, other_mean = math.fsum(own) / count, math.fsum(other) / count
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in own) / (count - 1))
    downside = math.sqrt(math.fsum(min(value, 0.0) ** 2 for value in own) / count)
    place = 0.05 * (count - 1)
    ordered, below = sorted(own), math.floor(place)
    at_risk = ordered[below] + (place - below) * (ordered[below + 1] - ordered[below])
    peak, worst = values[0], Decimal(0)
    for value in values:
        peak = max(peak, value)
        worst = min(worst, value / peak - 1)
    together = math.fsum((one - mean) * (two - other_mean) for one, two in zip(own, other))
    beta = together / math.fsum((value - other_mean) ** 2 for value in other)
    year = math.sqrt(252)
    exact = {
        "sharpe": (mean / deviation * year, 4),
        "sortino": (mean / downside * year, 4),
        "value_at_risk": (at_risk, 6),
        "max_drawdown": (worst, 6),
        "beta": (beta, 4),
    }
    shown = {name: rounded(Decimal(repr(value) if isinstance(value, float) else value), places)
             for name, (value, places) in exact.items()}
    return {**shown, "days": Decimal(count)}


def main():
    days, closes, sectors = load()
    book, trades, values, index = (CASH, {}), [], [], []
    first, last = days.index(DAYS[0]), days.index(DAYS[1])
    for place in range(first, last + 1):
        day, prices = days[place], {name: closes[name][place] for name in sectors}
        if day in DAYS:
            known = {name: closes[name][: place + 1] for name in sectors}
            found = proposals(known, sectors)
            analysed = found + [name for name in book[1] if name not in found]
            measured = {name: figures(known[name]) for name in analysed}
            index_score = score(figures(known[INDEX]))
            regime = "risk-on" if index_score >= 3 else "risk-off" if index_score <= -3 else "transition"
            orders = decide(book, analysed, measured, index_score, prices, sectors)
            trades.extend((day, *order[:3], prices[order[1]], *order[3:]) for order in orders)
            book = trade(book, orders, prices)
            print(day, "proposed", found, "analysed", analysed)
        values.append(book[0] + sum(quantity * prices[name] for name, quantity in book[1].items()))
        index.append(prices[INDEX])
    write(HERE / "trades.csv", ["day", "side", "ticker", "quantity", "price", "stop_loss", "take_profit"], trades)
    figures_of_end = {"cash": book[0], "total": values[-1], **ratios(values, index), "regime": regime}
    write(HERE / "figures.csv", ["figure", "value"], figures_of_end.items())


if __name__ == "__main__":
    main()

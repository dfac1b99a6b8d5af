"""A backtest over 2021 of three stocks, computed without the program.

    python backtest.py

It reads the bundled sample of prices, follows the rules of the rehearsal as its documentation states them
(crates/workflows/src/trading/rehearsal.rs) and those of the portfolio, and writes the tables beside it. It uses the
standard library alone.
"""

import csv
import math
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, getcontext
from pathlib import Path

getcontext().prec = 60
HERE = Path(__file__).parent
SAMPLE = HERE / "../../../market/data"
TICKERS = ["AMD", "JNJ", "XOM"]
INDEX = "^GSPC"
FROM, TO = date(2021, 1, 1), date(2021, 12, 31)
CASH = Decimal(100_000)
COMMISSION = Decimal("1.00")
SLIPPAGE = Decimal("0.0005")
MAX_POSITION, MAX_SECTOR, MIN_CASH = Decimal("0.15"), Decimal("0.35"), Decimal("0.05")
WEIGHTS = {3: Decimal("0.10"), 2: Decimal("0.07"), 1: Decimal("0.04")}
MILLIONTH = Decimal("0.000001")


def load():
    with open(SAMPLE / "prices.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    days = [date.fromisoformat(row["Date"]) for row in rows]
    closes = {name: [Decimal(row[name]) for row in rows] for name in TICKERS + [INDEX]}
    with open(SAMPLE / "instruments.csv", newline="") as file:
        sectors = {row["ticker"]: row["sector"] for row in csv.DictReader(file)}
    return days, closes, sectors


def shown(value, first, second):
    """A figure as it is computed to some decimals, and then shown with fewer."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    for places in (first, second):
        exact = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return exact


def smoothed(values, period, weight):
    average = sum(values[:period]) / period
    averages = [average]
    for value in values[period:]:
        average += weight * (value - average)
        averages.append(average)
    return averages


def exponential(values, period):
    return smoothed(values, period, 2 / (period + 1))


def figures(closes):
    """The eight figures of the rehearsal's table, from all closes up to a day."""
    prices = [float(close) for close in closes]
    slow = exponential(prices, 26)
    fast = exponential(prices[14:], 12)
    line = [one - other for one, other in zip(fast, slow)]
    changes = [after - before for before, after in zip(prices, prices[1:])]
    gain = smoothed([max(change, 0.0) for change in changes], 14, 1 / 14)[-1]
    loss = smoothed([max(-change, 0.0) for change in changes], 14, 1 / 14)[-1]
    year = prices[-253:]
    returns = [math.log(after / before) for before, after in zip(year, year[1:])]
    mean = sum(returns) / 252
    variance = sum((value - mean) ** 2 for value in returns) / 251
    peak, worst = Decimal(0), Decimal(0)
    for close in closes[-253:]:
        peak = max(peak, close)
        worst = min(worst, close / peak - 1)
    return {
        "close": shown(closes[-1], 6, 2),
        "sma50": shown(sum(prices[-50:]) / 50, 4, 2),
        "sma200": shown(sum(prices[-200:]) / 200, 4, 2),
        "histogram": shown(line[-1] - exponential(line, 9)[-1], 4, 4),
        "rsi": shown(100 * gain / (gain + loss), 4, 2),
        "quarter": shown(closes[-1] / closes[-64] - 1, 6, 4),
        "volatility": shown(math.sqrt(variance * 252), 6, 4),
        "drawdown": shown(worst, 6, 4),
    }


def score(figure):
    rsi = figure["rsi"]
    if rsi > 70 or 30 <= rsi < 50:
        strength = -1
    else:
        strength = 1 if rsi >= 50 else 0
    quarter, swing, fall = figure["quarter"], figure["volatility"], figure["drawdown"]
    return sum([
        1 if figure["close"] > figure["sma200"] else -1,
        1 if figure["close"] > figure["sma50"] else -1,
        1 if figure["sma50"] > figure["sma200"] else -1,
        1 if figure["histogram"] > 0 else -1,
        strength,
        1 if quarter >= Decimal("0.05") else -1 if quarter <= Decimal("-0.05") else 0,
        1 if swing < Decimal("0.25") else -1 if swing > Decimal("0.40") else 0,
        1 if fall > Decimal("-0.15") else -1 if fall < Decimal("-0.30") else 0,
    ])


def grade(points):
    if points >= 6:
        return "Buy"
    if points >= 3:
        return "Overweight"
    if points >= -2:
        return "Hold"
    return "Underweight" if points >= -5 else "Sell"


class Book:
    def __init__(self):
        self.cash = CASH
        self.held = {}  # ticker -> [quantity, cost, stop, profit]
        self.pending = []
        self.trades = []
        self.refused = 0

    def total(self, prices):
        return self.cash + sum((self.held[name][0] * prices[name] for name in self.held), Decimal(0))

    def buy(self, day, ticker, quantity, stop, profit, prices, sectors):
        quoted = prices[ticker]
        price = (quoted * (1 + SLIPPAGE)).quantize(MILLIONTH, ROUND_CEILING)
        cost = quantity * price + COMMISSION
        total = self.total(prices)
        value = self.held[ticker][0] * quoted if ticker in self.held else Decimal(0)
        same = sum(
            (self.held[name][0] * prices[name] for name in self.held if sectors[name] == sectors[ticker]), Decimal(0)
        )
        if self.cash - cost < MIN_CASH * total or value + cost > MAX_POSITION * total or same + cost > MAX_SECTOR * total:
            self.refused += 1
            return
        self.cash -= cost
        before = self.held.get(ticker, [Decimal(0), Decimal(0), None, None])
        self.held[ticker] = [before[0] + quantity, before[1] + cost, stop, profit]
        self.trades.append((day, "BUY", ticker, quantity, price, quoted, None, "order"))

    def sell(self, day, ticker, quoted, cause):
        quantity, cost, _, _ = self.held.pop(ticker)
        price = quoted
        if cause != "take_profit":
            price = (quoted * (1 - SLIPPAGE)).quantize(MILLIONTH, ROUND_FLOOR)
        received = quantity * price - COMMISSION
        self.cash += received
        self.trades.append((day, "SELL", ticker, quantity, price, quoted, received - cost, cause))

    def pass_day(self, day, prices, sectors):
        """Fills what was ordered at the day's close, then looks at stops and targets."""
        pending, self.pending = self.pending, []
        bought = set()
        for side, ticker, quantity, stop, profit in sorted(pending, key=lambda order: order[0] != "SELL"):
            if side == "SELL":
                assert quantity == self.held[ticker][0]
                self.sell(day, ticker, prices[ticker], "order")
            else:
                count = len(self.trades)
                self.buy(day, ticker, quantity, stop, profit, prices, sectors)
                if len(self.trades) > count:
                    bought.add(ticker)
        for ticker in sorted(self.held):
            _, _, stop, profit = self.held[ticker]
            if ticker in bought:
                continue
            if prices[ticker] <= stop:
                self.sell(day, ticker, prices[ticker], "stop_loss")
            elif prices[ticker] >= profit:
                self.sell(day, ticker, profit, "take_profit")

    def decide(self, prices, sectors, known, index_score):
        """What the portfolio's agents order after the close."""
        total, cash = self.total(prices), self.cash
        grades = {ticker: grade(score(known[ticker])) for ticker in TICKERS}
        kept, gone = {}, set()
        weighed = sorted(self.held, key=lambda name: (-(self.held[name][0] * prices[name]), name))
        for ticker in weighed:
            figure = known[ticker]
            broken = figure["close"] < figure["sma200"] and figure["sma50"] < figure["sma200"]
            if grades[ticker] in ("Sell", "Underweight") or broken:
                gone.add(ticker)
                cash += self.held[ticker][0] * prices[ticker]
                self.pending.append(("SELL", ticker, self.held[ticker][0], None, None))
            else:
                kept[ticker] = self.held[ticker][0] * prices[ticker]
        sector_values = {}
        for ticker, value in kept.items():
            sector_values[sectors[ticker]] = sector_values.get(sectors[ticker], Decimal(0)) + value
        candidates = []
        for ticker in TICKERS:
            conviction = {"Buy": 3, "Overweight": 2}.get(grades[ticker])
            if conviction is None:
                continue
            held_sectors = [sectors[name] for name in self.held]
            spread = Decimal(2)
            if sectors[ticker] in held_sectors:
                weight = sum(
                    self.held[name][0] * prices[name] / total for name in self.held if sectors[name] == sectors[ticker]
                )
                spread = Decimal(1)
                if weight >= MAX_SECTOR:
                    spread = Decimal(0)
                elif weight >= MAX_SECTOR * Decimal("0.7"):
                    spread = Decimal("0.5")
            priority = conviction * spread * (Decimal("0.5") if ticker in self.held else 1)
            candidates.append((-priority, ticker, conviction))
        candidates.sort(key=lambda candidate: candidate[0])
        for priority, ticker, conviction in candidates:
            if ticker in gone or not priority:
                continue
            weight = WEIGHTS[conviction] / (2 if index_score <= -3 else 1)
            value, sector = kept.get(ticker, Decimal(0)), sector_values.get(sectors[ticker], Decimal(0))
            room = min(
                min(weight * total, MAX_POSITION * total) - value,
                MAX_SECTOR * total - sector,
                cash - MIN_CASH * total,
            )
            price = prices[ticker]
            quantity = (room / price).quantize(Decimal(1), ROUND_FLOOR)
            if quantity < 1:
                continue
            cash -= quantity * price
            sector_values[sectors[ticker]] = sector + quantity * price
            cent = Decimal("0.01")
            stop = (price * Decimal("0.90")).quantize(cent, ROUND_HALF_EVEN)
            profit = (price * Decimal("1.20")).quantize(cent, ROUND_HALF_EVEN)
            self.pending.append(("BUY", ticker, quantity, stop, profit))


def plain(cell):
    if cell is None:
        return ""
    text = format(cell.normalize(), "f") if isinstance(cell, Decimal) else str(cell)
    return "0" if text in ("-0", "") else text


def write(path, header, rows):
    with open(path, "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        table.writerows([[plain(cell) for cell in row] for row in rows])


def main():
    days, closes, sectors = load()
    played = [place for place, day in enumerate(days) if FROM <= day <= TO]
    book, values, decisions, week = Book(), [], 0, None
    for place in played:
        day = days[place]
        prices = {ticker: closes[ticker][place] for ticker in TICKERS}
        book.pass_day(day, prices, sectors)
        is_first = day.isocalendar()[:2] != week
        week = day.isocalendar()[:2]
        if is_first and place != played[-1]:
            decisions += 1
            known = {ticker: figures(closes[ticker][: place + 1]) for ticker in TICKERS}
            index_score = score(figures(closes[INDEX][: place + 1]))
            book.decide(prices, sectors, known, index_score)
        values.append((day, book.total(prices), book.total(prices) - book.cash))
    trades = ["day", "side", "ticker", "quantity", "price", "quoted", "profit", "cause"]
    write(HERE / "trades.csv", trades, book.trades)
    write(HERE / "values.csv", ["day", "total", "invested"], values)
    print(f"{decisions} decisions, {len(book.trades)} trades, {book.refused} refused, {values[-1][1]} at the end")


if __name__ == "__main__":
    main()

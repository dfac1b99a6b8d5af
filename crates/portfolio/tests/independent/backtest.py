"""A year of trading three stocks, and the figures of it, computed without the crate.

Run in a virtual environment with numpy, pandas, scipy and quantstats:

    python backtest.py

It reads the bundled sample of prices and writes the tables beside it. Trading is computed in exact decimals by the rules
that crates/portfolio/src documents, the figures by pandas, numpy and scipy from the table of values. Where quantstats
defines a figure in the same way, the script stops if it disagrees.
"""

import csv
import math
from collections import defaultdict
from datetime import date
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, getcontext
from pathlib import Path

import numpy as np
import pandas as pd
import quantstats as qs
from scipy import stats

getcontext().prec = 60
HERE = Path(__file__).parent
SAMPLE = HERE / "../../../market/data/prices.csv"
TICKERS = ["AAPL", "JPM", "XOM"]
BENCHMARK = "^GSPC"
MILLIONTH = Decimal("0.000001")
CENT = Decimal("0.01")

# Settings of the portfolio.
CASH = Decimal(100_000)
FIXED, PER_SHARE, RATE, MINIMUM = Decimal(1), Decimal("0.005"), Decimal("0.0002"), Decimal("1.5")
SLIPPAGE = Decimal("0.0005")
# Invented: a split with prices that follow it, dividends, and money that moves.
SPLIT = ("AAPL", date(2021, 6, 14), 4, 1)
DIVIDENDS = {
    (date(2021, 4, 5), "JPM"): Decimal("0.9"),
    (date(2021, 7, 2), "JPM"): Decimal("0.9"),
    (date(2021, 8, 12), "XOM"): Decimal("0.87"),
}
TRANSFERS = {
    date(2021, 5, 3): Decimal("20000"),
    date(2021, 9, 10): Decimal("-7500.50"),
}


def load():
    frame = pd.read_csv(SAMPLE, index_col="Date", dtype=str)
    prices = {}
    for day, row in frame.iterrows():
        day = date.fromisoformat(day)
        if date(2020, 3, 1) <= day <= date(2021, 12, 31):
            prices[day] = {name: Decimal(row[name]) for name in TICKERS + [BENCHMARK]}
            if day >= SPLIT[1]:
                split = prices[day][SPLIT[0]] * SPLIT[3] / SPLIT[2]
                prices[day][SPLIT[0]] = split.quantize(MILLIONTH, ROUND_HALF_EVEN)
    return prices


def commission(quantity, price):
    charged = FIXED + PER_SHARE * quantity + RATE * quantity * price
    return max(charged, MINIMUM).quantize(CENT, ROUND_HALF_UP)


def slipped(side, quoted):
    if side == "BUY":
        return (quoted * (1 + SLIPPAGE)).quantize(MILLIONTH, ROUND_CEILING)
    return (quoted * (1 - SLIPPAGE)).quantize(MILLIONTH, ROUND_FLOOR)


class Desk:
    def __init__(self):
        self.cash = CASH
        self.lots = defaultdict(list)  # ticker -> [[quantity, cost]]
        self.stops = {}
        self.pending = []
        self.trades = []

    def held(self, ticker):
        return sum((quantity for quantity, _ in self.lots[ticker]), Decimal(0))

    def execute(self, day, side, ticker, quantity, quoted, cause):
        price = slipped(side, quoted)
        fee = commission(quantity, price)
        profit = None
        if side == "BUY":
            cost = quantity * price + fee
            if cost > self.cash:
                return
            self.cash -= cost
            self.lots[ticker].append([quantity, cost])
        else:
            if quantity > self.held(ticker):
                return
            left, cost = quantity, Decimal(0)
            while left:
                lot = self.lots[ticker][0]
                taken = min(left, lot[0])
                part = lot[1] if taken == lot[0] else (lot[1] * taken / lot[0]).quantize(
                    Decimal("1e-12"), ROUND_HALF_EVEN
                )
                lot[0] -= taken
                lot[1] -= part
                left -= taken
                cost += part
                if not lot[0]:
                    self.lots[ticker].pop(0)
            profit = quantity * price - fee - cost
            self.cash += quantity * price - fee
            if not self.held(ticker):
                self.stops.pop(ticker, None)
        self.trades.append((day, side, ticker, quantity, price, quoted, fee, profit, cause))


def shown(value):
    if value is None:
        return ""
    text = format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)
    return "0" if text in ("-0", "") else text


def simulate(prices):
    days = sorted(prices)
    year = [day for day in days if day.year == 2021]
    desk, orders, values = Desk(), [], []
    units = None
    for day in year:
        close = prices[day]
        # The market first: split, dividends, waiting orders, standing orders.
        ticker, split_day, to, per = SPLIT
        if day == split_day:
            for lot in desk.lots[ticker]:
                lot[0] = (lot[0] * to / per).quantize(MILLIONTH, ROUND_DOWN)
            if ticker in desk.stops:
                desk.stops[ticker] = (desk.stops[ticker] * per / to).quantize(MILLIONTH, ROUND_HALF_EVEN)
            desk.pending = [
                (side, name, quantity * to / per if name == ticker else quantity,
                 stop * per / to if stop and name == ticker else stop)
                for side, name, quantity, stop in desk.pending
            ]
        for ticker in TICKERS:
            if (day, ticker) in DIVIDENDS:
                desk.cash += desk.held(ticker) * DIVIDENDS[day, ticker]
        bought = set()
        for wanted in ("SELL", "BUY"):
            for side, ticker, quantity, stop in [order for order in desk.pending if order[0] == wanted]:
                count = len(desk.trades)
                desk.execute(day, side, ticker, quantity, close[ticker], "order")
                if side == "BUY" and len(desk.trades) > count:
                    bought.add(ticker)
                    if stop:
                        desk.stops[ticker] = stop
        desk.pending = []
        for ticker in TICKERS:
            stop = desk.stops.get(ticker)
            if stop and desk.held(ticker) and ticker not in bought and close[ticker] <= stop:
                desk.execute(day, "SELL", ticker, desk.held(ticker), min(stop, close[ticker]), "stop_loss")
        invested = sum((desk.held(ticker) * close[ticker] for ticker in TICKERS), Decimal(0))
        # After the close: decisions on every fifth trading day, and money that moves.
        index = days.index(day)
        if year.index(day) % 5 == 0:
            total = desk.cash + invested
            for ticker in TICKERS:
                then = prices[days[index - 20]][ticker]
                if ticker == SPLIT[0] and days[index - 20] < SPLIT[1] <= day:
                    then = then * SPLIT[3] / SPLIT[2]
                rises, held = close[ticker] > then, desk.held(ticker)
                if rises and held * close[ticker] < total * Decimal("0.3"):
                    quantity = (total * Decimal("0.12") / close[ticker]).quantize(MILLIONTH, ROUND_DOWN)
                    order = ("BUY", ticker, quantity, (close[ticker] * Decimal("0.96")).quantize(CENT))
                elif not rises and held:
                    order = ("SELL", ticker, (held * Decimal("0.6")).quantize(MILLIONTH, ROUND_DOWN), None)
                else:
                    continue
                desk.pending.append(order)
                orders.append((day, *order))
        flow = TRANSFERS.get(day, Decimal(0))
        desk.cash += flow
        total = desk.cash + invested
        if units is None:
            units = total / close[BENCHMARK]
        else:
            units += flow / close[BENCHMARK]
        values.append((day, total, flow, invested, (units * close[BENCHMARK]).quantize(MILLIONTH, ROUND_HALF_EVEN)))
    return orders, desk.trades, values


def write(name, header, rows):
    with open(HERE / name, "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(header)
        table.writerows([[shown(cell) for cell in row] for row in rows])


def follow(prices, rule):
    """The value at each close of a portfolio that brings holdings to weights at the first price after a signal."""
    days = sorted(prices)
    desk, wanted, values = Desk(), {}, []
    for index, day in enumerate(days):
        if day.year != 2021:
            continue
        close = prices[day]
        if day == SPLIT[1]:
            for lot in desk.lots[SPLIT[0]]:
                lot[0] = (lot[0] * SPLIT[2] / SPLIT[3]).quantize(MILLIONTH, ROUND_DOWN)
        for ticker in TICKERS:
            if (day, ticker) in DIVIDENDS:
                desk.cash += desk.held(ticker) * DIVIDENDS[day, ticker]
        worth = lambda: sum((desk.held(name) * close[name] for name in TICKERS), Decimal(0))
        total = desk.cash + worth()
        for side in ("SELL", "BUY"):
            for ticker in sorted(wanted):
                target = (wanted[ticker] * total).quantize(MILLIONTH, ROUND_HALF_EVEN)
                beyond = desk.held(ticker) * close[ticker] - target
                if side == "SELL" and not wanted[ticker]:
                    quantity = desk.held(ticker)
                else:
                    amount = beyond if side == "SELL" else -beyond
                    quantity = (amount / close[ticker]).quantize(MILLIONTH, ROUND_DOWN)
                if side == "BUY" and quantity > 0:
                    price = slipped(side, close[ticker])
                    fee = commission(quantity, price)
                    if quantity * price + fee > desk.cash:
                        quantity = ((desk.cash - fee) / price).quantize(MILLIONTH, ROUND_DOWN)
                if quantity > 0:
                    desk.execute(day, side, ticker, quantity, close[ticker], "order")
        values.append(desk.cash + worth())
        wanted = rule(index, days, desk)
    return values


def references(prices):
    part = Decimal("0.333333")
    equal = {ticker: part for ticker in TICKERS}
    year = [day for day in sorted(prices) if day.year == 2021]
    averages = pd.DataFrame(
        {ticker: [float(prices[day][ticker]) for day in sorted(prices)] for ticker in TICKERS}, index=sorted(prices)
    )
    # Closes in shares of today, as a chart shows them.
    averages.loc[averages.index < SPLIT[1], SPLIT[0]] *= SPLIT[3] / SPLIT[2]
    above = averages.rolling(50).mean() > averages.rolling(200).mean()

    def cross(index, days, desk):
        if index < 199:
            return {}
        now = {ticker: bool(above[ticker].iloc[index]) for ticker in TICKERS}
        return {t: part if up else Decimal(0) for t, up in now.items() if up != bool(desk.held(t))}

    def monthly(index, days, desk):
        return equal if days[index] == year[0] or days[index].month != days[index - 1].month else {}

    start = prices[year[0]][BENCHMARK]
    index = [(CASH * prices[day][BENCHMARK] / start).quantize(MILLIONTH, ROUND_HALF_EVEN) for day in year]
    hold = follow(prices, lambda index, days, desk: equal if days[index] == year[0] else {})
    return list(zip(year, hold, follow(prices, monthly), follow(prices, cross), index))


def figures(trades):
    table = pd.read_csv(HERE / "values.csv", parse_dates=["date"], index_col="date")
    returns = ((table.total - table.flow) / table.total.shift() - 1).dropna()
    market = ((table.benchmark - table.flow) / table.benchmark.shift() - 1).dropna()
    growth = pd.concat([pd.Series([1.0], index=table.index[:1]), (1 + returns).cumprod()])
    span = (table.index[-1] - table.index[0]).days
    year = math.sqrt(252)
    depth = growth / growth.cummax() - 1
    trough = depth.idxmin()
    peak = growth[:trough].idxmax()
    after = growth[trough:]
    back = after[after >= growth[peak] * (1 - 1e-12)]
    recovered = back.index[0] if len(back) else None
    daily, size = returns.mean() / returns.std(ddof=1), len(returns)
    error = math.sqrt(
        (1 - stats.skew(returns) * daily + (stats.kurtosis(returns, fisher=False) - 1) / 4 * daily**2) / (size - 1)
    )
    width = stats.norm.ppf(0.975) * error
    slope, intercept = np.polyfit(market, returns, 1)
    beyond = returns - market
    worst = np.percentile(returns, 5)
    profits = [float(trade[7]) for trade in trades if trade[7] is not None]
    amounts = {side: sum(float(t[3] * t[4]) for t in trades if t[1] == side) for side in ("BUY", "SELL")}
    commissions = sum(trade[6] for trade in trades)
    slippage = sum(abs(trade[4] - trade[5]) * trade[3] for trade in trades)
    average, years = table.total.mean(), span / 365.25
    paid_in = CASH + sum(TRANSFERS.values())
    cagr = growth.iloc[-1] ** (365.25 / span) - 1
    result = {
        "total_return": growth.iloc[-1] - 1,
        "cagr": cagr,
        "volatility": returns.std(ddof=1) * year,
        "sharpe": daily * year,
        "sharpe_low": (daily - width) * year,
        "sharpe_high": (daily + width) * year,
        "sortino": returns.mean() / math.sqrt((returns.clip(upper=0) ** 2).mean()) * year,
        "calmar": cagr / -depth.min(),
        "max_drawdown": depth.min(),
        "time_under_water": (depth.iloc[1:] < 0).mean(),
        "alpha": intercept * 252,
        "beta": slope,
        "information_ratio": beyond.mean() / beyond.std(ddof=1) * year,
        "value_at_risk": worst,
        "expected_shortfall": returns[returns <= worst].mean(),
        "win_rate": sum(profit > 0 for profit in profits) / len(profits),
        "profit_factor": sum(p for p in profits if p > 0) / -sum(p for p in profits if p < 0),
        "turnover": min(amounts.values()) / average / years,
        "exposure": (table.invested / table.total).mean(),
        "cost_drag": -float(commissions + slippage) / average / years,
    }
    agreed = {
        "volatility": qs.stats.volatility(returns),
        "sharpe": qs.stats.sharpe(returns),
        "sortino": qs.stats.sortino(returns),
        "max_drawdown": qs.stats.max_drawdown(returns),
        "beta": qs.stats.greeks(returns, market)["beta"],
        "alpha": qs.stats.greeks(returns, market)["alpha"],
        "information_ratio": qs.stats.information_ratio(returns, market) * year,
    }
    for name, value in agreed.items():
        assert abs(result[name] - value) < 1e-9, (name, result[name], value)
    rows = [(name, f"{value:.9f}") for name, value in result.items()]
    rows += [
        ("drawdown_peak", peak.date()),
        ("drawdown_trough", trough.date()),
        ("drawdown_recovered", recovered.date() if recovered is not None else ""),
        ("drawdown_days", ((recovered or table.index[-1]) - peak).days),
        ("commissions", commissions),
        ("slippage", slippage),
        ("profit", Decimal(str(pd.read_csv(HERE / "values.csv", dtype=str).total.iloc[-1])) - paid_in),
    ]
    monthly = (1 + returns).groupby([returns.index.year, returns.index.month]).prod() - 1
    rows += [(f"month_{year}_{month:02}", f"{value:.9f}") for (year, month), value in monthly.items()]
    return rows


def main():
    prices = load()
    write("prices.csv", ["date", *TICKERS, BENCHMARK],
          [(day, *prices[day].values()) for day in sorted(prices)])
    write("references.csv", ["date", "buy_and_hold", "equal_weight", "average_cross", "index"], references(prices))
    orders, trades, values = simulate(prices)
    write("orders.csv", ["date", "side", "ticker", "quantity", "stop_loss"], orders)
    write("trades.csv",
          ["date", "side", "ticker", "quantity", "price", "quoted", "commission", "profit", "cause"], trades)
    write("values.csv", ["date", "total", "flow", "invested", "benchmark"], values)
    write("figures.csv", ["figure", "value"], figures(trades))


main()

/** One row of what a site costs in a month before anything is sent: 730 hours, without taxes and discounts. */
export interface MonthlyCost {
    /** Such as `1 NAT gateway`. */
    readonly what: string;
    /** US dollars; `undefined` where the price is not known here, which is never 0. */
    readonly usd: number | undefined;
    /** Where the price was read, and for which region. */
    readonly source: string;
    /** Date of the price. */
    readonly date: string;
}

/** Hours that clouds reckon a month with. */
export const hoursPerMonth = 730;

/** Sum of the rows whose price is known, in US dollars to the cent, and what it leaves out. */
export function totalCost(rows: readonly MonthlyCost[]): { readonly usd: number; readonly without: readonly string[] } {
    return {
        usd: Math.round(rows.reduce((sum, { usd }) => sum + (usd ?? 0), 0) * 100) / 100,
        without: rows.filter(({ usd }) => usd === undefined).map(({ what }) => what),
    };
}

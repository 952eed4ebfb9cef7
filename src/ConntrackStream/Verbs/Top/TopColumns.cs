using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Summary;

namespace ConntrackStream.Service.Verbs.Top;

/// <summary>A column of the rows.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="Width">Characters.</param>
/// <param name="IsNumber">On the right.</param>
/// <param name="Text">What it shows.</param>
internal sealed record TopColumn<TRow>(string Title, int Width, bool IsNumber, Func<TRow, string> Text);

/// <summary>The columns that a screen of some width has room for.</summary>
internal static class TopColumns
{
    private const int Endpoint = 21; // 255.255.255.255:65535
    private const int WidestEndpoint = 47; // of IPv6, with brackets and port
    private const int Name = 15; // 255.255.255.255

    internal static IReadOnlyList<TopColumn<TopFlow>> OfFlows(int width, bool hasRates)
    {
        List<TopColumn<TopFlow>> columns =
        [
            new("proto", 6, false, static row => row.Flow.Original.Protocol.Name()),
            new("source", Endpoint, false, static row => TopText.Endpoint(row.Flow.Original, isSource: true)),
            new("destination", Endpoint, false, static row => TopText.Endpoint(row.Flow.Original, isSource: false)),
            new("rate/s", 9, true, row => TopText.Rate(row.Figures.Rate, hasRates)),
        ];
        int left = width - Needed(columns);
        Add(columns, columns.Count, ref left, new("bytes", 9, true, static row => Figure.Bytes(row.Figures.Bytes)));
        Add(columns, columns.Count, ref left, new("age", 7, true, static row => TopText.Age(row.Age)));
        Add(columns, 1, ref left, new("state", 11, false, static row => TopText.State(row.Flow)));
        Add(columns, columns.Count, ref left, new("translated", 27, false, static row => TopText.Translation(row.Flow)));
        Add(columns, columns.Count - 1, ref left, new("packets/s", 9, true, row => hasRates ? Figure.Number(row.Figures.Packets) : "–"));
        Add(columns, columns.Count - 1, ref left, new("timeout", 8, true, static row => TopText.Age(row.Flow.Timeout)));
        Add(columns, columns.Count - 1, ref left, new("mark", 10, true, static row => TopText.Mark(row.Flow.Mark)));
        int each = Math.Min((int)Math.Floor(left / 2.0), WidestEndpoint - Endpoint); // below 0 on a narrow terminal
        for (int i = 0; i < columns.Count; i++)
        {
            if (columns[i].Title is "source" or "destination")
                columns[i] = columns[i] with { Width = columns[i].Width + each };
        }

        return columns;
    }

    internal static IReadOnlyList<TopColumn<TopGroup>> OfGroups(string title, int width, bool hasRates)
    {
        List<TopColumn<TopGroup>> columns =
        [
            new(title, Name, false, static row => row.Name),
            new("flows", 10, true, static row => Figure.Number(row.Figures.Flows)),
            new("rate/s", 9, true, row => TopText.Rate(row.Figures.Rate, hasRates)),
        ];
        int left = width - Needed(columns);
        Add(columns, columns.Count, ref left, new("bytes", 9, true, static row => Figure.Bytes(row.Figures.Bytes)));
        Add(columns, 3, ref left, new("packets/s", 11, true, row => hasRates ? Figure.Number(row.Figures.Packets) : "–"));
        columns[0] = columns[0] with { Width = Math.Min(Name + left, WidestEndpoint) };
        return columns;
    }

    private static void Add<TRow>(List<TopColumn<TRow>> columns, int at, ref int left, TopColumn<TRow> column)
    {
        if (left < column.Width + 1)
            return;
        columns.Insert(at, column);
        left -= column.Width + 1;
    }

    // A blank behind each.
    private static int Needed<TRow>(List<TopColumn<TRow>> columns) => columns.Sum(static column => column.Width + 1);
}

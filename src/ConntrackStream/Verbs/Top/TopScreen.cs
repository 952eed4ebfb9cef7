using System.Globalization;
using ConntrackStream.Service.Summary;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ConntrackStream.Service.Verbs.Top;

/// <summary>Draws the screen as text with the terminal's control sequences; never wider or higher than the terminal.</summary>
/// <param name="hasColours">Not with NO_COLOR.</param>
internal sealed class TopScreen(bool hasColours)
{
    private const int AboveRows = 6, BelowRows = 1;
    private const int LeastWidth = 40, LeastHeight = 10;
    private const string ToLineEnd = "\e[K", ToScreenEnd = "\e[J", Home = "\e[H";

    private static readonly Style Plain = Style.Plain, Faint = new(decoration: Decoration.Dim), Bold = new(decoration: Decoration.Bold);
    private static readonly Style Inverse = new(decoration: Decoration.Invert);
    private static readonly Style Warning = new(foreground: Color.Yellow), Danger = new(foreground: Color.Red, decoration: Decoration.Bold);

    /// <summary>Rows that fit.</summary>
    internal static int Page(int height) => Math.Max(1, height - AboveRows - BelowRows);

    internal string Draw(TopState state, TopTable? table, TopHeadline headline, int width, int height)
    {
        using StringWriter writer = new(CultureInfo.InvariantCulture);
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = hasColours ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
            Out = new AnsiConsoleOutput(writer),
        });
        console.Profile.Width = width;
        console.Profile.Height = height;
        console.Profile.Capabilities.Unicode = true;
        foreach (IRenderable part in Parts(state, table, headline, width, height))
            console.Write(part);
        IEnumerable<string> lines = writer.ToString().TrimEnd('\n').Split('\n').Take(height);
        return Home + string.Join($"{ToLineEnd}\r\n", lines) + ToLineEnd + ToScreenEnd;
    }

    private static IEnumerable<IRenderable> Parts(TopState state, TopTable? table, TopHeadline headline, int width, int height)
    {
        if (width < LeastWidth || height < LeastHeight)
            return [Line(width, ($"{LeastWidth}x{LeastHeight} needed", Plain))];
        int page = Page(height);
        IRenderable[] above =
        [
            TitleLine(state, headline, width), TableLine(headline, width), RefusedLine(headline, width),
            RatesLine(headline, width), TabsLine(state, table, width),
        ];
        (IEnumerable<IRenderable> rows, int lines) = RowsOf(state, table, width, page);
        IEnumerable<IRenderable> blank = Enumerable.Repeat((IRenderable)Line(width, (" ", Plain)), Math.Max(0, page + 1 - lines));
        return [.. above, .. rows, .. blank, FootLine(state, width)];
    }

    /// <summary>The heading, and what is below it.</summary>
    private static (IEnumerable<IRenderable> Rows, int Lines) RowsOf(TopState state, TopTable? table, int width, int page)
    {
        if (state.ShowsHelp)
            return (TopHelp.Lines.Take(page + 1).Select(line => Line(width, (line, Plain))), TopHelp.Lines.Count);
        if (table is null)
            return ([Line(width, ("reading the table…", Faint))], 1);
        int count = RowCount(table, state.View);
        if (count == 0)
            return ([Line(width, (state.Filter.Length > 0 ? "no flow matches the filter" : "no flow is in the table", Faint))], 1);
        Table rows = state.View == TopView.Flows
            ? RowTable(TopColumns.OfFlows(width, table.HasRates), table.Flows, state, page)
            : RowTable(TopColumns.OfGroups(TitleOf(state.View), width, table.HasRates), GroupsOf(table, state.View), state, page);
        return ([rows], 1 + Math.Min(page, count - state.Offset));
    }

    internal static int RowCount(TopTable table, TopView view) => view == TopView.Flows ? table.Flows.Count : GroupsOf(table, view).Count;

    private static IReadOnlyList<TopGroup> GroupsOf(TopTable table, TopView view) => view switch
    {
        TopView.Sources => table.Sources,
        TopView.Destinations => table.Destinations,
        _ => table.Services,
    };

    private static string TitleOf(TopView view) => view switch
    {
        TopView.Sources => "source",
        TopView.Destinations => "destination",
        _ => "service",
    };

    private static Paragraph TitleLine(TopState state, TopHeadline headline, int width) => Line(
        width,
        ("conntrack-stream top", Bold),
        ($"  {headline.Host}  {headline.Now.ToLocalTime():HH:mm:ss}  every {Seconds(state.Interval)}", Plain),
        (state.IsPaused ? "  PAUSED (p goes on)" : "", Warning));

    private static Paragraph TableLine(TopHeadline headline, int width)
    {
        if (headline.Entries is not { } entries)
            return Line(width, ("table: reading", Faint));
        double share = (double)entries / Math.Max(headline.MostEntries, 1);
        Style style = share >= 0.95 ? Danger : share >= 0.8 ? Warning : Plain;
        const int Bar = 20;
        int full = Math.Clamp((int)Math.Round(share * Bar), 0, Bar);
        return Line(
            width,
            ($"table {Figure.Number(entries)} of {Figure.Number(headline.MostEntries)} entries ", Plain),
            ($"[{new string('#', full)}{new string('.', Bar - full)}] {share * 100:0.0}%", style));
    }

    private static Paragraph RefusedLine(TopHeadline headline, int width)
    {
        RefusalCounts refused = headline.Refusals;
        return Line(
            width,
            ("refused since the start: ", Plain),
            ($"table full {Figure.Number(refused.Drop)}", refused.Drop > 0 ? Danger : Plain),
            ($"  evicted {Figure.Number(refused.EarlyDrop)}", refused.EarlyDrop > 0 ? Danger : Plain),
            ($"  insert failed {Figure.Number(refused.InsertFailed)}", refused.InsertFailed > 0 ? Warning : Plain),
            ($"  event gaps {Figure.Number(headline.Gaps)}", headline.Gaps > 0 ? Warning : Plain));
    }

    private static Paragraph RatesLine(TopHeadline headline, int width)
    {
        if (headline.Rates is not { } rates)
            return Line(width, ($"new and ended flows: {headline.RatesFrom}", Faint));
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"new {Figure.Number(rates.Started / rates.Interval)}/s  ended {Figure.Number(rates.Ended / rates.Interval)}/s  ");
        return Line(width, (text, Bold), (TopText.Sparkline(headline.Starts, width - text.Length), new Style(foreground: Color.Green)));
    }

    private static Paragraph TabsLine(TopState state, TopTable? table, int width)
    {
        List<(string, Style)> parts = [];
        foreach (TopView view in Enum.GetValues<TopView>())
            parts.Add(($" {(int)view + 1} {NameOf(view)} ", view == state.View ? Inverse : Plain));
        parts.Add(($" by {NameOf(state.Sort, state.View)}{(state.IsReversed ? ", least first" : "")}", Plain));
        if (state.Filter.Length > 0)
            parts.Add(($"  {state.Filter}", Warning));
        if (table is not null && state.Filter.Length > 0)
            parts.Add(($": {Figure.Number(table.Matching)}", Plain));
        if (table is { HasCounters: false })
            parts.Add(("  no bytes: net.netfilter.nf_conntrack_acct is 0", Warning));
        if (table is { LeftOut: true })
            parts.Add(("  only some are counted", Warning));
        return Line(width, [.. parts]);
    }

    private static Table RowTable<TRow>(IReadOnlyList<TopColumn<TRow>> columns, IReadOnlyList<TRow> rows, TopState state, int page)
    {
        Table table = new() { Border = TableBorder.None, ShowHeaders = true };
        foreach (TopColumn<TRow> column in columns)
        {
            table.AddColumn(new TableColumn(new Text(Cut(column.Title, column.Width), Faint))
            {
                Width = column.Width,
                NoWrap = true,
                Padding = new Padding(0, 0, 1, 0),
                Alignment = column.IsNumber ? Justify.Right : Justify.Left,
            });
        }

        for (int i = state.Offset; i < Math.Min(rows.Count, state.Offset + page); i++)
        {
            TRow row = rows[state.IsReversed ? rows.Count - 1 - i : i];
            table.AddRow(columns.Select(column => Cell(column.Text(row), column.Width)));
        }

        return table;
    }

    private static Paragraph FootLine(TopState state, int width) => state switch
    {
        { Fault: { } fault } => Line(width, ($"filter: {state.Typed}_ ", Bold), (fault, Danger)),
        { Typed: { } typed } => Line(
            width, ($"filter: {typed}_ ", Bold), ("  Enter takes it, Esc does not; as for list: -p tcp -s 10.0.0.0/8", Faint)),
        _ => Line(width, ("q quit  p pause  s sort  r reverse  1-4 view  / filter  + - interval  ? help", Faint)),
    };

    private static Text Cell(string text, int width) => new(Cut(text, width));

    private static Paragraph Line(int width, params (string Text, Style Style)[] parts)
    {
        Paragraph line = new();
        int left = width;
        foreach ((string text, Style style) in parts)
        {
            string part = Cut(text, left);
            line.Append(part, style);
            left -= part.Length;
            if (left <= 0)
                break;
        }

        line.Append("\n");
        return line;
    }

    private static string Cut(string text, int width) => text.Length <= width ? text : width < 1 ? "" : $"{text[..(width - 1)]}…";

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s");

    private static string NameOf(TopView view) => view switch
    {
        TopView.Flows => "flows",
        TopView.Sources => "sources",
        TopView.Destinations => "destinations",
        _ => "services",
    };

    private static string NameOf(TopSort sort, TopView view) => sort switch
    {
        TopSort.Rate => "bytes/s",
        TopSort.Packets => "packets/s",
        TopSort.Bytes => "bytes",
        _ => view == TopView.Flows ? "age" : "flows",
    };
}

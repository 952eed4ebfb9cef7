namespace ConntrackStream.Service.Verbs.Top;

/// <summary>What the keys have chosen. Used by the screen's loop only.</summary>
/// <param name="filter">As written on the command line, empty for none.</param>
/// <param name="parse">What is wrong with a filter's text; null: nothing.</param>
internal sealed class TopState(string filter, TimeSpan interval, Func<string, string?> parse)
{
    private const int MostFilter = 200; // characters

    internal static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(500), LongestInterval = TimeSpan.FromMinutes(1);

    internal TopView View { get; set; }

    internal TopSort Sort { get; set; }

    /// <summary>The least first.</summary>
    internal bool IsReversed { get; private set; }

    internal bool IsPaused { get; private set; }

    internal bool ShowsHelp { get; private set; }

    /// <summary>Rows that are scrolled away at the top.</summary>
    internal int Offset { get; private set; }

    internal string Filter { get; private set; } = filter;

    /// <summary>The text that is being typed; null: none is.</summary>
    internal string? Typed { get; private set; }

    /// <summary>What is wrong with what was typed.</summary>
    internal string? Fault { get; private set; }

    internal TimeSpan Interval { get; private set; } = interval;

    /// <summary>Handles one key.</summary>
    /// <param name="page">Rows of the screen.</param>
    /// <returns>What is to be done besides drawing.</returns>
    internal TopAction Press(ConsoleKeyInfo key, int page) => Typed is { } typed ? Type(key, typed) : Command(key, page);

    /// <summary>There are so many rows now.</summary>
    internal void Bound(int rows, int page) => Offset = Math.Clamp(Offset, 0, Math.Max(0, rows - page));

    private TopAction Command(ConsoleKeyInfo key, int page)
    {
        if (ShowsHelp)
        {
            ShowsHelp = false; // any key leads back
            return key.KeyChar == 'q' ? TopAction.Quit : TopAction.Draw;
        }

        switch (key.Key)
        {
            case ConsoleKey.Escape:
                return TopAction.Draw;
            case ConsoleKey.DownArrow:
                return Scroll(1);
            case ConsoleKey.UpArrow:
                return Scroll(-1);
            case ConsoleKey.PageDown or ConsoleKey.Spacebar:
                return Scroll(page);
            case ConsoleKey.PageUp:
                return Scroll(-page);
            case ConsoleKey.Home:
                return Scroll(-Offset);
            case ConsoleKey.End:
                return Scroll(int.MaxValue / 2);
            case ConsoleKey.Tab:
                return Show((TopView)(((int)View + 1) % Enum.GetValues<TopView>().Length));
        }

        switch (key.KeyChar)
        {
            case 'q':
                return TopAction.Quit;
            case 'j':
                return Scroll(1);
            case 'k':
                return Scroll(-1);
            case >= '1' and <= '4':
                return Show((TopView)(key.KeyChar - '1'));
            case 's':
                Sort = (TopSort)(((int)Sort + 1) % Enum.GetValues<TopSort>().Length);
                Offset = 0;
                return TopAction.Look;
            case 'r':
                IsReversed = !IsReversed;
                return TopAction.Draw;
            case 'p':
                IsPaused = !IsPaused;
                return IsPaused ? TopAction.Draw : TopAction.Look;
            case '+':
                Interval = Clamp(Interval * 2);
                return TopAction.Look;
            case '-':
                Interval = Clamp(Interval / 2);
                return TopAction.Look;
            case '/':
                (Typed, Fault) = (Filter, null);
                return TopAction.Draw;
            case '?' or 'h':
                ShowsHelp = true;
                return TopAction.Draw;
            default:
                return TopAction.None;
        }
    }

    private TopAction Type(ConsoleKeyInfo key, string typed)
    {
        switch (key.Key)
        {
            case ConsoleKey.Enter:
                Fault = parse(typed);
                if (Fault is not null)
                    return TopAction.Draw;
                (Filter, Typed, Offset) = (typed.Trim(), null, 0);
                return TopAction.Look;
            case ConsoleKey.Escape:
                (Typed, Fault) = (null, null);
                return TopAction.Draw;
            case ConsoleKey.Backspace:
                Typed = typed.Length > 0 ? typed[..^1] : typed;
                return TopAction.Draw;
            case ConsoleKey.U when key.Modifiers == ConsoleModifiers.Control:
                Typed = "";
                return TopAction.Draw;
        }

        if (key.KeyChar is >= ' ' and <= '~' && typed.Length < MostFilter)
            Typed = typed + key.KeyChar;
        return TopAction.Draw;
    }

    private TopAction Scroll(int rows)
    {
        Offset = Math.Max(0, Offset + rows);
        return TopAction.Draw;
    }

    private TopAction Show(TopView view)
    {
        (View, Offset) = (view, 0);
        return TopAction.Draw;
    }

    private static TimeSpan Clamp(TimeSpan interval) =>
        interval < ShortestInterval ? ShortestInterval : interval > LongestInterval ? LongestInterval : interval;
}

/// <summary>What follows a key.</summary>
internal enum TopAction
{
    None,

    /// <summary>The screen, with the figures that are there.</summary>
    Draw,

    /// <summary>The kernel's table at once, then the screen.</summary>
    Look,

    Quit,
}

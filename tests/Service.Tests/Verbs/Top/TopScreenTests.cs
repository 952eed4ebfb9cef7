using System.Text.RegularExpressions;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Verbs.Top;

namespace ConntrackStream.Service.Tests.Verbs.Top;

public sealed partial class TopScreenTests
{
    private const string Wide = "2001:db8:1111:2222:3333:4444:5555:6666";

    private readonly TopState _state = new(
        "", TimeSpan.FromSeconds(2), static text => TopFilter.TryParse(text, out _, out string error) ? null : error);

    private readonly TopHeadline _headline = new() { Host = "gw1", RatesFrom = "starting" };
    private readonly FlowMeter _meter = new(FlowFilter.All, 1000);

    public static TheoryData<int, int> Sizes => new() { { 80, 24 }, { 40, 10 }, { 100, 30 }, { 151, 40 }, { 250, 60 } };

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Every_view_fits_the_terminal_to_the_last_line_and_column(int width, int height)
    {
        _headline.Add(Rates(1234));
        (_headline.Entries, _headline.MostEntries) = (250_000, 262_144);
        TopTable table = Table(200);
        foreach (TopView view in Enum.GetValues<TopView>())
        {
            _state.View = view;
            string[] lines = Lines(table, width, height);
            Assert.True(height == lines.Length, string.Join('\n', lines));
            Assert.All(lines, line => Assert.True(line.Length <= width, $"{line.Length} of {width}: {line}"));
            Assert.True(lines[^1].StartsWith("q quit", StringComparison.Ordinal), string.Join('\n', lines));
        }
    }

    [Fact]
    public void A_wider_terminal_shows_more_columns_and_whole_addresses()
    {
        TopTable table = TopFlows.Look(_meter, TopFlows.Second, TopFlows.Of(Wide, 443, 10));
        string narrow = Screen(table, 80, 24), wide = Screen(table, 200, 24);
        Assert.DoesNotContain("translated", narrow, StringComparison.Ordinal);
        Assert.Contains("ESTABLISHED", wide, StringComparison.Ordinal);
        Assert.Contains("translated", wide, StringComparison.Ordinal);
        Assert.Contains($"[{Wide}]:40000", wide, StringComparison.Ordinal);
        Assert.Contains("[2001:db8:1111:2222:…", narrow, StringComparison.Ordinal);
    }

    [Fact]
    public void Eighty_columns_have_rate_bytes_and_age_and_whole_addresses_of_IPv4()
    {
        string screen = Screen(TopFlows.Look(_meter, TopFlows.Second, TopFlows.Of("255.255.255.255", 443, 10)), 80, 24);
        Assert.Contains("proto  source                destination              rate/s     bytes     age", screen, StringComparison.Ordinal);
        Assert.Contains("255.255.255.255:40000", screen, StringComparison.Ordinal);
    }

    [Fact]
    public void A_translated_flow_says_from_which_address_it_leaves()
    {
        Assert.Equal("from 203.0.113.1:40000", TopText.Translation(TopFlows.Of("10.0.0.1", 443, 1)));
        Assert.Equal("", TopText.Translation(TopFlows.Of("203.0.113.1", 443, 1)));
    }

    [Fact]
    public void Text_of_any_kind_is_shown_as_it_is_not_as_markup()
    {
        _headline.Lose();
        _headline.RatesFrom = "[red]no[/] such [socket";
        Assert.Contains("[red]no[/] such [socket", Screen(Table(1), 80, 24), StringComparison.Ordinal);
    }

    [Fact]
    public void Scrolling_ends_where_the_rows_end()
    {
        TopTable table = Table(30);
        int page = TopScreen.Page(24);
        Assert.Equal(17, page);
        Press(ConsoleKey.End);
        _state.Bound(TopScreen.RowCount(table, _state.View), page);
        Assert.Equal(13, _state.Offset);
        Assert.Contains("10.0.0.29:", Lines(table, 80, 24)[^2], StringComparison.Ordinal);
        Press(ConsoleKey.Home);
        Assert.Contains("10.0.0.0:", Lines(table, 80, 24)[6], StringComparison.Ordinal);
        Press('r');
        Assert.Contains("10.0.0.29:", Lines(table, 80, 24)[6], StringComparison.Ordinal);
    }

    [Fact]
    public void A_filter_is_typed_taken_when_it_is_right_and_explained_when_it_is_not()
    {
        Press('/');
        Type("-p tcp --dprt 443");
        Assert.Equal(TopAction.Draw, Press(ConsoleKey.Enter));
        Assert.Contains("--dprt", _state.Fault, StringComparison.Ordinal);
        Assert.Equal("", _state.Filter);
        Assert.Contains("--dprt", Lines(Table(1), 120, 24)[^1], StringComparison.Ordinal);
        Press('\u0015', ConsoleKey.U, control: true);
        Type("-p tcp --dport 443q");
        Press(ConsoleKey.Backspace);
        Assert.Equal(TopAction.Look, Press(ConsoleKey.Enter));
        Assert.Equal("-p tcp --dport 443", _state.Filter);
        Press('/');
        Type("x");
        Press(ConsoleKey.Escape);
        Assert.Equal("-p tcp --dport 443", _state.Filter);
    }

    [Fact]
    public void A_terminal_that_is_too_small_says_how_large_it_must_be()
    {
        Assert.Contains("40x10 needed", Screen(Table(1), 14, 24), StringComparison.Ordinal);
        Assert.Contains("40x10 needed", Screen(Table(1), 80, 9), StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_choose_view_order_pause_and_interval()
    {
        Press('3');
        Assert.Equal(TopView.Destinations, _state.View);
        Press(ConsoleKey.Tab);
        Press(ConsoleKey.Tab);
        Assert.Equal(TopView.Flows, _state.View);
        Assert.Equal(TopAction.Look, Press('s'));
        Assert.Equal(TopSort.Packets, _state.Sort);
        Press('p');
        Assert.Contains("PAUSED", Screen(Table(1), 80, 24), StringComparison.Ordinal);
        Assert.Equal(TopAction.Look, Press('p'));
        for (int i = 0; i < 10; i++)
            Press('+');
        Assert.Equal(TopState.LongestInterval, _state.Interval);
        Press('?');
        Assert.Contains("any key", Screen(Table(1), 80, 24), StringComparison.OrdinalIgnoreCase);
        Assert.Equal(TopAction.Draw, Press('s')); // leads back, and changes nothing
        Assert.Equal(TopSort.Packets, _state.Sort);
        Assert.Equal(TopAction.Quit, Press('q'));
    }

    [Theory]
    [InlineData(0.4, "0s")]
    [InlineData(75, "1m 15s")]
    [InlineData(3700, "1h 1m")]
    [InlineData(432_000, "5d 0h")]
    [InlineData(-1, "–")]
    public void Ages_have_their_two_largest_units(double seconds, string text) => Assert.Equal(text, TopText.Age(seconds));

    private TopTable Table(int flows) => TopFlows.Look(
        _meter, TopFlows.Second, TopSort.Bytes,
        [.. Enumerable.Range(0, flows).Select(i => TopFlows.Of($"10.0.0.{i}", (ushort)(i + 1), (ulong)(1000 - i), id: (uint)i + 1))]);

    private string Screen(TopTable table, int width, int height) => string.Join('\n', Lines(table, width, height));

    private string[] Lines(TopTable table, int width, int height) =>
        Sequences().Replace(new TopScreen(hasColours: true).Draw(_state, table, _headline, width, height), "").Split("\r\n");

    private TopAction Press(char key) => Press(key, ConsoleKey.None);

    private TopAction Press(ConsoleKey key) => Press('\0', key);

    private TopAction Press(char character, ConsoleKey key, bool control = false) =>
        _state.Press(new ConsoleKeyInfo(character, key, shift: false, alt: false, control), page: 1);

    private void Type(string text)
    {
        foreach (char character in text)
            Press(character);
    }

    private static RateRecord Rates(long started) => new()
    {
        Time = default,
        Interval = 1,
        Started = started,
        Updated = 0,
        Ended = 5,
        Flows = 10,
        Gaps = 0,
        Talkers = [],
        Starters = [],
    };

    // ECMA-48 control sequences.
    [GeneratedRegex(@"\e\[[0-9;?]*[A-Za-z]", RegexOptions.NonBacktracking)]
    private static partial Regex Sequences();
}

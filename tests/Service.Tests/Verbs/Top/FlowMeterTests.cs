using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Verbs.Top;

namespace ConntrackStream.Service.Tests.Verbs.Top;

public sealed class FlowMeterTests
{
    private const int Most = 3;

    private readonly FlowMeter _meter = new(FlowFilter.All, Most);

    [Fact]
    public void A_rate_is_what_a_flow_counted_between_two_looks_by_their_time()
    {
        TopTable first = TopFlows.Look(_meter, TopFlows.Second, TopFlows.Of("10.0.0.1", 443, 1000));
        Assert.False(first.HasRates);
        Assert.Equal(0, first.Flows[0].Figures.Rate);
        TopTable second = TopFlows.Look(
            _meter, 3 * TopFlows.Second, TopFlows.Of("10.0.0.1", 443, 5000), TopFlows.Of("10.0.0.2", 443, 600, id: 2));
        Assert.True(second.HasRates);
        Assert.Equal([(2000.0, 200.0), (300.0, 30.0)], second.Flows.Select(static row => (row.Figures.Rate, row.Figures.Packets)));
        Assert.Equal([5000ul, 600ul], second.Flows.Select(static row => row.Figures.Bytes));
    }

    [Fact]
    public void A_tuple_that_is_used_again_by_another_flow_does_not_continue_the_old_ones_counters()
    {
        TopFlows.Look(_meter, TopFlows.Second, TopFlows.Of("10.0.0.1", 443, 1000, id: 1));
        TopTable second = TopFlows.Look(_meter, 2 * TopFlows.Second, TopFlows.Of("10.0.0.1", 443, 1500, id: 2));
        Assert.Equal(1500, second.Flows[0].Figures.Rate);
    }

    [Fact]
    public void Counters_that_another_program_has_reset_give_no_negative_rate()
    {
        TopFlows.Look(_meter, TopFlows.Second, TopFlows.Of("10.0.0.1", 443, 1000));
        Assert.Equal(0, TopFlows.Look(_meter, 2 * TopFlows.Second, TopFlows.Of("10.0.0.1", 443, 10)).Flows[0].Figures.Rate);
    }

    [Fact]
    public void An_entry_that_a_dump_shows_twice_counts_once()
    {
        Flow flow = TopFlows.Of("10.0.0.1", 443, 1000);
        TopTable table = TopFlows.Look(_meter, TopFlows.Second, flow, flow);
        Assert.Equal((1, 1), (table.Matching, table.Flows.Count));
        Assert.Equal(1000ul, table.Sources[0].Figures.Bytes);
    }

    [Theory]
    [InlineData(nameof(TopSort.Bytes), "10.0.0.5 10.0.0.4 10.0.0.3")]
    [InlineData(nameof(TopSort.Count), "10.0.0.1 10.0.0.2 10.0.0.3")]
    public void The_first_rows_of_the_order_are_kept(string sort, string sources)
    {
        Flow[] flows = [.. Enumerable.Range(1, 5).Select(static i =>
            TopFlows.Of($"10.0.0.{i}", 443, (ulong)i * 100, id: (uint)i, start: i * TopFlows.Second))];
        TopTable table = TopFlows.Look(_meter, 10 * TopFlows.Second, Enum.Parse<TopSort>(sort), flows);
        Assert.Equal(5, table.Matching);
        IEnumerable<string> shown = table.Flows.Select(static row => TopText.Address(row.Flow.Original.Family, row.Flow.Original.Source));
        Assert.Equal(sources, string.Join(' ', shown));
    }

    [Fact]
    public void Groups_are_sums_over_all_flows_not_over_the_rows_that_are_kept()
    {
        Flow[] flows = [.. Enumerable.Range(1, 10).Select(static i =>
            TopFlows.Of("10.0.0.1", (ushort)(i % 2 == 0 ? 53 : 443), 100, id: (uint)i))];
        TopTable table = TopFlows.Look(_meter, TopFlows.Second, TopSort.Bytes, flows);
        Assert.Equal(Most, table.Flows.Count);
        TopGroup source = Assert.Single(table.Sources);
        Assert.Equal(("10.0.0.1", 10L, 1000ul), (source.Name, source.Figures.Flows, source.Figures.Bytes));
        Assert.Equal("198.51.100.7", Assert.Single(table.Destinations).Name);
        Assert.Equal(["tcp/443", "tcp/53"], [.. table.Services.Select(static row => row.Name).Order(StringComparer.Ordinal)]);
    }

    [Fact]
    public void More_sources_than_the_bound_are_left_out_and_it_says_so()
    {
        Flow[] flows = [.. Enumerable.Range(0, FlowMeter.MostGroups + 10).Select(static i =>
            TopFlows.Of($"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", 443, 1, id: (uint)i + 1))];
        Assert.True(TopFlows.Look(_meter, TopFlows.Second, flows).LeftOut);
        Assert.False(TopFlows.Look(_meter, 2 * TopFlows.Second, flows[..100]).LeftOut);
    }

    [Fact]
    public void Only_flows_that_the_filter_lets_pass_count()
    {
        Assert.True(TopFilter.TryParse("--dport 53", out FlowFilter filter, out _));
        FlowMeter meter = new(filter, Most);
        TopTable table = TopFlows.Look(meter, TopFlows.Second, TopFlows.Of("10.0.0.1", 443, 1), TopFlows.Of("10.0.0.2", 53, 1));
        Assert.Equal(1, table.Matching);
        Assert.Equal("10.0.0.2", Assert.Single(table.Sources).Name);
    }
}

using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Summary;
using Microsoft.Extensions.Time.Testing;
using static ConntrackStream.Service.Tests.Summary.MadeFlows;

namespace ConntrackStream.Service.Tests.Summary;

public sealed class TableAdviceTests
{
    [Fact]
    public void The_table_must_hold_rate_times_life_and_twice_that_for_peaks()
    {
        Advice advice = Of("nf_conntrack_max", Growth(entries: 60_000, max: 100_000, newPerSecond: 1000));
        Assert.Equal(
            "100000, 60000 entries (60 %); 1,000 new flows/s × 60 s mean life = 60,000 entries, 2 times that for peaks: 120,000",
            advice.Finding);
        Assert.StartsWith("sysctl -w net.netfilter.nf_conntrack_max=131072 ", advice.Remedy, StringComparison.Ordinal);
        Assert.EndsWith("; 50.3 MB when full", advice.Remedy, StringComparison.Ordinal);
        Assert.Null(Of("nf_conntrack_max", Growth(entries: 40_000, max: 100_000, newPerSecond: 1000)).Remedy);
    }

    [Fact]
    public void A_nearly_full_table_is_too_small_whatever_its_rate()
    {
        Assert.NotNull(Of("nf_conntrack_max", Growth(entries: 80, max: 100, newPerSecond: null)).Remedy);
        Assert.Null(Of("nf_conntrack_max", Growth(entries: 79, max: 100, newPerSecond: null)).Remedy);
    }

    [Fact]
    public void Growth_tells_when_the_table_will_be_full()
    {
        TableGrowth growth = Growth(entries: 60_000, max: 100_000, newPerSecond: 1000) with { EntriesPerSecond = 500 };
        Assert.Equal(80, growth.SecondsUntilFull);
        Assert.EndsWith("; full in 80 s at this rate", Of("nf_conntrack_max", growth).Finding, StringComparison.Ordinal);
        Assert.Null((growth with { EntriesPerSecond = 0.5 }).SecondsUntilFull);
        Assert.Null((growth with { EntriesPerSecond = -500 }).SecondsUntilFull);
    }

    [Fact]
    public void Two_looks_give_the_rates()
    {
        FakeTimeProvider time = new();
        TableReading before = Reading(entries: 100) with { At = time.GetTimestamp(), NewFlows = 1000 };
        time.Advance(TimeSpan.FromSeconds(2));
        TableReading after = Reading(entries: 140) with { At = time.GetTimestamp(), NewFlows = 1100 };
        TableGrowth growth = TableGrowth.Between(before, after, time);
        Assert.Equal((2.0, 20.0, 50.0, 2.8), (growth.Seconds, growth.EntriesPerSecond, growth.NewPerSecond, growth.MeanLifeSeconds));
        Assert.Null(TableGrowth.Between(before with { NewFlows = null }, after, time).MeanLifeSeconds);
    }

    [Theory]
    [InlineData(800_000, 100_000, 0, true)]
    [InlineData(800_001, 100_000, 0, false)]
    [InlineData(1000, 100_000, 1, false)]
    public void Chains_of_more_than_16_entries_or_a_refusal_ask_for_buckets(long max, long buckets, long refused, bool isWell)
    {
        TableReading reading = Reading(max: max, buckets: buckets) with { Refusals = new RefusalCounts(0, 0, 0, refused, 0) };
        Advice advice = Of("nf_conntrack_buckets", new TableGrowth(1, 0, null, reading));
        Assert.Equal(isWell, advice.Remedy is null);
        if (!isWell)
            Assert.StartsWith($"sysctl -w net.netfilter.nf_conntrack_buckets={max} ", advice.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_timeout_is_a_problem_only_where_flows_rest()
    {
        const string Subject = "nf_conntrack_tcp_timeout_established";
        TableGrowth growth = Growth(entries: 1000, max: 100_000, newPerSecond: null);
        Assert.Null(Of(Subject, growth).Remedy);
        Assert.NotNull(Of(Subject, Growth(entries: 50_000, max: 100_000, newPerSecond: null)).Remedy);
        TableTally resting = Tally(Enumerable.Range(1, 100).Select(static i =>
            Tcp($"10.6.6.{i}", 50_000, "10.7.7.7", 5432, TcpState.Established, timeout: 432_000 - 7440)));
        Advice advice = Of(Subject, growth, resting);
        Assert.StartsWith(
            "432000 s (5 days); 100 of 100 established flows have had no packet for 2.1 h or longer", advice.Finding,
            StringComparison.Ordinal);
        Assert.StartsWith($"sysctl -w net.netfilter.{Subject}=7440 ", advice.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_close_wait_timeout_is_a_problem()
    {
        const string Subject = "nf_conntrack_tcp_timeout_close_wait";
        TableGrowth growth = Growth(entries: 1000, max: 100_000, newPerSecond: null);
        Assert.Null(Of(Subject, growth).Remedy);
        Assert.NotNull(Of(Subject, growth with { Reading = growth.Reading with { CloseWaitTimeout = TimeSpan.FromHours(1) } }).Remedy);
    }

    [Fact]
    public void Each_counter_of_the_kernel_has_its_own_meaning()
    {
        Assert.All(RefusalAdvice.Of(new RefusalCounts(0, 0, 0, 0, 0)), static advice => Assert.Null(advice.Remedy));
        Dictionary<string, Advice> all = RefusalAdvice.Of(new RefusalCounts(1, 2, 30, 4, 5))
            .ToDictionary(static advice => advice.Subject, StringComparer.Ordinal);
        Assert.StartsWith("26 new flows not entered", all["insert_failed"].Finding, StringComparison.Ordinal); // 4 of 30 are long chains
        Assert.Contains("single-request-reopen", all["insert_failed"].Remedy, StringComparison.Ordinal);
        Assert.Contains("A larger table does not help", all["insert_failed"].Finding, StringComparison.Ordinal);
        Assert.Contains("nf_conntrack_buckets", all["chaintoolong"].Remedy, StringComparison.Ordinal);
        Assert.Contains("the table was full", all["drop"].Finding, StringComparison.Ordinal);
        Assert.Contains("not assured", all["early_drop"].Finding, StringComparison.Ordinal);
        Assert.Null(all["clash_resolve"].Remedy);
    }

    [Theory]
    [InlineData("nf_conntrack 48 112 320 16 1 : tunables 0 0 0", 320)]
    [InlineData("nf_conntrack_expect 0 0 208 19 1", null)]
    [InlineData("nf_conntrack 48 112", null)]
    [InlineData("nf_conntrack 48 112 x", null)]
    public void The_size_of_an_entry_is_read_from_slabinfo(string line, int? expected) =>
        Assert.Equal(expected, TableMemory.Parse(["slabinfo - version: 2.1", line]));

    private static TableGrowth Growth(long entries, long max, double? newPerSecond) => new(1, 0, newPerSecond, Reading(entries, max));

    private static Advice Of(string subject, TableGrowth growth, TableTally? tally = null) =>
        Assert.Single(TableAdvice.Of(growth, tally), advice => advice.Subject == subject);
}

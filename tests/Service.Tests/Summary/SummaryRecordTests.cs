using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Summary;
using static ConntrackStream.Service.Tests.Summary.MadeFlows;

namespace ConntrackStream.Service.Tests.Summary;

public sealed class SummaryRecordTests
{
    [Fact]
    public void Text_and_json_show_the_same_figures()
    {
        TableTally tally = Tally([
            Tcp("10.0.0.1", 1000, "10.0.0.2", 80, TcpState.Established), Tcp("10.0.0.1", 1001, "10.0.0.2", 80, TcpState.SynSent),
            Udp("10.0.0.3", 1002, "10.0.0.4", 53, answered: true)]);
        SummaryRecord made = SummaryBuilder.Build(
            tally, new TableGrowth(2, 1.5, 3, Reading(entries: 6)), DateTimeOffset.UnixEpoch, "kernel", "blue", top: 1);
        SummaryRecord read = SummaryRecord.Parse(made.ToJson());
        string[] lines = [.. SummaryText.Lines(read)];
        Assert.Equal(SummaryText.Lines(made), lines, StringComparer.Ordinal);
        Assert.Equal("table     6 of 100000 entries (0 %), 100000 buckets, 2.3 kB", lines[0]);
        Assert.Equal(
            "growth    +1.5 entries/s in 2 s (3 flows began, 1.5 ended a second); mean life 2 s; full in 18.5 h", lines[1]);
        Assert.Equal("flows     3: 1 assured (33.3 %), 1 without an answer (33.3 %), 180 B", lines[2]);
        Assert.Equal("tcp       2: SYN_SENT 1, ESTABLISHED 1", lines[3]);
        Assert.Equal("udp       1: REPLIED 1", lines[4]);
        Assert.Equal("nat       none 3, snat 0, dnat 0, both 0", lines[5]);
        Assert.Contains($"  {"2  10.0.0.1",-58}   120 B  10.0.0.1", lines, StringComparer.Ordinal);
        Assert.Contains($"  {"2  10.0.0.1 → 10.0.0.2",-58}   120 B  10.0.0.1 → 10.0.0.2", lines, StringComparer.Ordinal);
        Assert.Contains("likely    nothing stands out", lines, StringComparer.Ordinal);
        JsonElement json = JsonDocument.Parse(made.ToJson()).RootElement;
        Assert.Equal(("blue", 3), (json.GetProperty("netns").GetString(), json.GetProperty("flows").GetInt32()));
        Assert.Equal(2, json.GetProperty("table").GetProperty("mean_life").GetDouble());
        Assert.True(json.GetProperty("top").GetProperty("pairs").GetProperty("exact").GetBoolean());
        Assert.Equal(6, json.EnumerateObject().First(static field => field.Name == "table").Value.GetProperty("entries").GetInt32());
    }

    [Fact]
    public void An_estimate_is_shown_as_one()
    {
        TableTally tally = new(establishedTimeout: null);
        for (int i = 0; i <= 2 * TableTally.Counters + 1; i++) // one more than is kept, and one that begins with what was forgotten
            tally.Add(Udp($"10.{i >> 8}.{i & 255}.1", 1000, "192.0.2.1", 443, answered: true));
        SummaryRecord made = SummaryBuilder.Build(
            tally, new TableGrowth(1, 0, null, Reading()), DateTimeOffset.UnixEpoch, "live", networkNamespace: null, top: 1);
        Assert.False(made.Top.Sources.Exact);
        Assert.True(made.Top.Destinations.Exact);
        Assert.Equal((2UL, 1UL), (made.Top.Sources.ByFlows[0].Weight, made.Top.Sources.ByFlows[0].Error));
        Assert.Contains(SummaryText.Lines(made), static line => line.StartsWith("  ≤ 2 ± 1  10.", StringComparison.Ordinal));
    }
}

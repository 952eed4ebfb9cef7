using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.FlowLog;

/// <summary>Rules about marks, which change in a flow's life: what the first written record decides holds for the others.</summary>
public class MarkedFlowsTests
{
    private const string Vpn = "mark 0x1bd00-0x1bdff";

    [Theory]
    [InlineData("started with the mark and lost it", new uint[] { 0x1bd10, 0, 0 }, "start update end")]
    [InlineData("got it in between", new uint[] { 0, 0x1bd20, 0x1bd20 }, "update end")]
    [InlineData("got it and lost it", new uint[] { 0, 0x1bd20, 0 }, "update end")]
    [InlineData("had it at its end only", new uint[] { 0, 0, 0x1bdff }, "end")]
    [InlineData("never had it", new uint[] { 0, 0x1bcff, 0x1be00 }, "")]
    public void A_flow_is_allowed_from_its_first_record_with_the_mark_on(string life, uint[] marks, string expected) =>
        Assert.True(expected == Written(new RecordFilterOptions { Allow = [Vpn] }, marks), life);

    [Theory]
    [InlineData("started with the mark and lost it", new uint[] { 0x1bd10, 0x1bd10, 0 }, "end")]
    [InlineData("had its start written before it got it", new uint[] { 0, 0x1bd20, 0x1bd20 }, "start update end")]
    [InlineData("had it all the time", new uint[] { 0x1bd10, 0x1bd10, 0x1bd10 }, "")]
    public void A_flow_with_a_record_is_not_denied_later(string life, uint[] marks, string expected) =>
        Assert.True(expected == Written(new RecordFilterOptions { Deny = [Vpn] }, marks), life);

    [Fact]
    public void Alternatives_are_judged_together()
    {
        RecordFilterOptions vpn = new() { Allow = [Vpn, "addr 203.0.113.0/24"] };
        Assert.Equal("start update end", Written(vpn, [0x1bd00, 0, 0]));
        Assert.Equal("", Written(vpn, [0, 0, 0]));
        vpn = new() { Allow = [Vpn, "addr 198.51.100.0/24"] };
        Assert.Equal("start update end", Written(vpn, [0, 0, 0]));
    }

    [Fact]
    public void Other_conditions_of_the_rule_still_hold_for_each_record()
    {
        Assert.Equal("start update end", Written(new() { Allow = [$"{Vpn} proto udp"] }, [0x1bd00, 0, 0]));
        Assert.Equal("", Written(new() { Allow = [$"{Vpn} proto tcp"] }, [0x1bd00, 0, 0]));
        Assert.Equal("start", Written(new() { Allow = [Vpn], Deny = ["event update", "event end"] }, [0x1bd00, 0, 0]));
    }

    [Theory]
    [InlineData($"event start event end {Vpn}", "start")] // of records: each as it is
    [InlineData($"status SEEN_REPLY {Vpn}", "start")]
    public void Rules_about_records_judge_each_by_itself(string rule, string expected) =>
        Assert.Equal(expected, Written(new() { Allow = [rule] }, [0x1bd00, 0, 0]));

    [Fact]
    public void The_filter_of_the_flow_log_decides_in_the_same_way()
    {
        FlowLogFilterOptions filter = new() { Include = { Mark = "0x1bd00-0x1bdff,7" }, Exclude = { Mark = "7" } };
        Assert.Equal("update end", Written(new(), [0, 0x1bd20, 7], filter));
        Assert.Equal("", Written(new(), [0, 7, 7], filter));
    }

    [Fact]
    public void An_end_is_judged_the_same_when_asked_again_and_forgotten_then()
    {
        RecordFilter filter = RecordFilter.Of([Vpn], [])!;
        Assert.True(filter.Takes(Of(FlowChangeKind.Started, 1, 0x1bd00)));
        Assert.Equal(1, filter.Remembered);
        FlowChange end = Of(FlowChangeKind.Ended, 1, 0);
        Assert.True(filter.Takes(end));
        Assert.True(filter.Takes(end)); // by a sink that had no room for it
        Assert.False(filter.Takes(Of(FlowChangeKind.Started, 2, 0)));
        Assert.Equal(0, filter.Remembered);
        Assert.False(filter.Takes(end));
    }

    [Fact]
    public void A_log_without_ends_forgets_its_flows_too()
    {
        FlowLogOptions options = new() { Events = [FlowLogEvent.Start, FlowLogEvent.Update], Allow = [Vpn] };
        RecordChoice choice = new(options);
        Assert.True(choice.Takes(Of(FlowChangeKind.Started, 1, 0x1bd00)));
        Assert.True(choice.Takes(Of(FlowChangeKind.Updated, 1, 0)));
        Assert.False(choice.Takes(Of(FlowChangeKind.Ended, 1, 0)));
        Assert.False(choice.Takes(Of(FlowChangeKind.Updated, 1, 0)));
    }

    [Fact]
    public void Without_a_rule_about_marks_nothing_is_remembered()
    {
        RecordFilter filter = RecordFilter.Of(["proto udp", $"event end {Vpn}"], ["state ESTABLISHED"])!;
        Assert.True(filter.Takes(Of(FlowChangeKind.Started, 1, 0x1bd00)));
        Assert.Equal(0, filter.Remembered);
    }

    private static string Written(RecordFilterOptions rules, uint[] marks, FlowLogFilterOptions? flows = null)
    {
        RecordFilter filter = RecordFilter.Of(rules.Allow, rules.Deny, flows)!;
        (FlowChangeKind Kind, string Name)[] kinds =
            [(FlowChangeKind.Started, "start"), (FlowChangeKind.Updated, "update"), (FlowChangeKind.Ended, "end")];
        return string.Join(' ', kinds.Where((kind, i) => filter.Takes(Of(kind.Kind, 1, marks[i]))).Select(static kind => kind.Name));
    }

    private static FlowChange Of(FlowChangeKind kind, ulong id, uint mark)
    {
        FlowChange change = Change(kind, Flow(Tuple(IpProtocol.Udp, "10.1.2.3", 40000, "198.51.100.2", 53)));
        change.Id = new FlowId(1, id);
        change.Flow.Present |= FlowFields.Mark | FlowFields.Status;
        change.Flow.Mark = mark;
        change.Flow.Status = FlowStatus.SeenReply;
        return change;
    }

    private sealed class RecordFilterOptions
    {
        internal string[] Allow { get; init; } = [];

        internal string[] Deny { get; init; } = [];
    }
}

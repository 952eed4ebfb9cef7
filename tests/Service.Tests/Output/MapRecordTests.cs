using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.Tests.MapCleaning.Module;

namespace ConntrackStream.Service.Tests.Output;

public sealed class MapRecordTests
{
    [Fact]
    public void A_tombstone_is_a_line_for_people_too()
    {
        Assert.Equal(
            "armed    tcp src=10.0.0.1 dst=10.0.0.2 sport=1025 dport=443 owner=10.0.0.1 ifindex=7: its flow "
            + "00000000-0000-8123-8000-000000000005 (conntrack id 99) ended at 2023-11-14T22:13:20.123456Z",
            TombstoneRecord.Parse(MapTestData.EndedJson).ToText());
        Assert.Equal(
            "waiting  icmp src=10.0.0.1 dst=10.0.0.3 owner=10.0.0.1: 2 audits in a row found no flow, "
            + "the first at 2023-11-14T22:13:20.123456Z",
            TombstoneRecord.Parse(MapTestData.MissedJson).ToText());
    }

    [Theory]
    [InlineData(DeleteOutcome.Deleted, null, "deleted", "deleted icmp src=10.0.0.1 dst=10.0.0.3 owner=10.0.0.1: EVIDENCE")]
    [InlineData(DeleteOutcome.WouldDelete, null, "would_delete", "would delete icmp src=10.0.0.1 dst=10.0.0.3 owner=10.0.0.1: EVIDENCE")]
    [InlineData(
        DeleteOutcome.Restored, "WHY", "restored", "restored icmp src=10.0.0.1 dst=10.0.0.3 owner=10.0.0.1: WHY; nominated as EVIDENCE")]
    [InlineData(
        DeleteOutcome.RestoreFailed, "WHY", "restore_failed",
        "not restored icmp src=10.0.0.1 dst=10.0.0.3 owner=10.0.0.1: WHY; nominated as EVIDENCE")]
    [InlineData(
        DeleteOutcome.KeptInUse, "WHY", "kept_in_use", "kept icmp src=10.0.0.1 dst=10.0.0.3 owner=10.0.0.1: WHY; nominated as EVIDENCE")]
    [InlineData(
        DeleteOutcome.AlreadyGone, "WHY", "already_gone", "gone icmp src=10.0.0.1 dst=10.0.0.3 owner=10.0.0.1: WHY; nominated as EVIDENCE")]
    public void An_outcome_says_what_went_and_why(DeleteOutcome outcome, string? why, string name, string text)
    {
        MapOutcomeRecord record = MapOutcomeRecord.Of(new MapOutcome(outcome, MapTestData.Missed, "EVIDENCE", why));
        Assert.Equal(text, record.ToText());
        Assert.StartsWith(
            $$"""{"outcome":"{{name}}","family":"ipv4","proto":"icmp","src":"10.0.0.1",""", record.ToJson(), StringComparison.Ordinal);
    }
}

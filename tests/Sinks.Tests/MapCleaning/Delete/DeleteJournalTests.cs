using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using Microsoft.Extensions.Logging;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Delete;

public sealed class DeleteJournalTests
{
    private const int Summary = 2127, Deleted = 2120, Restored = 2122, Kept = 2126;
    private const long Now = 1_700_000_010_000_000_000;

    private static readonly Tombstone Ended = new(CleaningHarness.Key(ViewHarness.Udp(1)), TombstoneReason.Ended)
    {
        FlowId = new FlowId(0x123, 5),
        ConntrackId = 99,
        Since = Now - 5_000_000_000,
    };

    private static readonly Tombstone Missed =
        new(CleaningHarness.Key(ViewHarness.Udp(2)), TombstoneReason.MissedTwice) { Misses = 2, Since = Now };

    [Fact]
    public async Task Of_many_deletions_the_log_has_one_line()
    {
        RecordingLogger logger = new(LogLevel.Information);
        await using (DeleteJournal journal = new(logger))
        {
            journal.Start();
            for (int i = 0; i < 1000; i++)
                Write(journal, DeleteOutcome.Deleted, i < 10 ? Missed : Ended);
            Write(journal, DeleteOutcome.KeptStarted, Ended);
            Write(journal, DeleteOutcome.KeptAlive, Ended);
            Write(journal, DeleteOutcome.AlreadyGone, Ended);
            journal.Summarise();
            journal.Summarise(); // nothing since
            Write(journal, DeleteOutcome.WouldDelete, Missed);
        }

        Assert.Equal<IEnumerable<string>>(
            [
                "The map since the last summary: 1000 entries deleted (990 after their flow's end, 10 after two missed audits), "
                + "2 kept (1 a flow with it started, 1 the kernel knows a flow with it, or did not answer), "
                + "1 removed by somebody else meanwhile",
                "The map since the last summary: 1 entries would be deleted (0 after their flow's end, 1 after two missed audits)",
            ],
            logger.Entries.Select(static line => line.Message));
        Assert.All(logger.Entries, static line => Assert.Equal((LogLevel.Information, Summary), (line.Level, line.Id)));
    }

    [Fact]
    public async Task At_level_Debug_it_has_each_with_the_flow_id_of_the_flow_log()
    {
        RecordingLogger logger = new(LogLevel.Debug);
        await using (DeleteJournal journal = new(logger))
        {
            journal.Start();
            Write(journal, DeleteOutcome.Deleted, Ended);
            Write(journal, DeleteOutcome.KeptAlive, Ended);
        }

        Assert.Equal([Deleted, Kept, Summary], logger.Entries.Select(static line => line.Id));
        Assert.Contains(
            "its flow 00000000-0000-8123-8000-000000000005 (conntrack id 99) ended 5.0 s ago; none in the view",
            logger.Entries[0].Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restoration_is_a_warning_at_any_level()
    {
        RecordingLogger logger = new(LogLevel.Warning);
        await using (DeleteJournal journal = new(logger))
        {
            journal.Start();
            Write(journal, DeleteOutcome.Deleted, Ended);
            journal.Write(DeleteOutcome.Restored, Ended, "a flow with it started", absentNs: 5000, Now, zones: 1);
        }

        Assert.Equal((LogLevel.Warning, Restored), (Assert.Single(logger.Entries).Level, logger.Entries[0].Id));
    }

    [Fact]
    public async Task The_evidence_has_each_change_and_nothing_that_was_kept()
    {
        Evidence evidence = new();
        await using (DeleteJournal journal = new(new RecordingLogger(LogLevel.Debug), evidence: evidence))
        {
            journal.Start();
            foreach (DeleteOutcome outcome in Enum.GetValues<DeleteOutcome>())
                journal.Write(outcome, Ended, "why", absentNs: 0, Now, zones: 1);
        }

        Assert.Equal(
            [DeleteOutcome.Deleted, DeleteOutcome.WouldDelete, DeleteOutcome.Restored, DeleteOutcome.Healed, DeleteOutcome.RestoreFailed],
            evidence.Written.Select(static decision => decision.Outcome));
        Assert.Equal(evidence.Written.Count, evidence.Flushed);
    }

    private static void Write(DeleteJournal journal, DeleteOutcome outcome, Tombstone tombstone) =>
        journal.Write(outcome, tombstone, outcome == DeleteOutcome.Deleted ? null : "why", absentNs: 0, Now, zones: 1);

    private sealed class Evidence : IMapEvidence
    {
        public List<MapDecision> Written { get; } = [];

        /// <summary>How many had been written at the last flush.</summary>
        public int Flushed { get; private set; }

        public void Write(in MapDecision decision) => Written.Add(decision);

        public void Flush() => Flushed = Written.Count;
    }
}

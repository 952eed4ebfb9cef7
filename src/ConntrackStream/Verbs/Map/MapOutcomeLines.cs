using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Verbs.Map;

/// <summary>The lines of <c>map audit</c>, one a decision, and their sums. Used by the journal's task, and when that is over.</summary>
internal sealed class MapOutcomeLines(CliContext context, bool json)
{
    private const int GroupsToName = 5;

    private readonly long[] _counts = new long[Enum.GetValues<DeleteOutcome>().Length];
    private long _ended;

    internal void Write(MapOutcome outcome)
    {
        _counts[(int)outcome.Outcome]++;
        if (outcome.Outcome is DeleteOutcome.Deleted or DeleteOutcome.WouldDelete && outcome.Tombstone.Reason == TombstoneReason.Ended)
            _ended++;
        MapOutcomeRecord record = MapOutcomeRecord.Of(outcome);
        context.Print(json ? record.ToJson() : record.ToText());
    }

    internal void Flush() => context.Output.Flush();

    internal string Summary(MapMode mode, MapStatus status)
    {
        long gone = Count(mode == MapMode.Delete ? DeleteOutcome.Deleted : DeleteOutcome.WouldDelete);
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{gone} entries {(mode == MapMode.Delete ? "have been" : "would be")} deleted ({_ended} "
            + $"after their flow's end, {gone - _ended} after two missed audits)");
        Add("put back", Count(DeleteOutcome.Restored));
        Add("made anew by a packet", Count(DeleteOutcome.Healed));
        Add("to be put back, which failed", Count(DeleteOutcome.RestoreFailed));
        Add("kept", Count(DeleteOutcome.KeptStarted) + Count(DeleteOutcome.KeptAlive) + Count(DeleteOutcome.KeptInUse)
            + Count(DeleteOutcome.KeptUntracked));
        Add("kept since their connection may still be alive", Count(DeleteOutcome.KeptHeld));
        Add("gone already", Count(DeleteOutcome.AlreadyGone));
        Add("not settled", status.Tombstones - status.Observed);
        Add("beyond the limit of a cycle (Map:MaxDeletesPerCycle): run it again", status.Counters.Deferred);
        return text.Append(mode == MapMode.Delete || gone == 0 ? "" : ". Nothing was changed: add --delete").ToString();

        void Add(string what, long count)
        {
            if (count > 0)
                text.Append(CultureInfo.InvariantCulture, $", {count} {what}");
        }
    }

    internal static string Describe(IReadOnlyDictionary<MapGroup, int> groups)
    {
        string named = string.Join(", ", groups.OrderByDescending(static group => group.Value).Take(GroupsToName)
            .Select(static group => string.Create(
            CultureInfo.InvariantCulture,
            $"{group.Key.Protocol.Name()} to {group.Key.Destination.ToIPAddress(group.Key.Family)} port {group.Key.Port} "
                + $"({group.Value} keys)")));
        return groups.Count > GroupsToName ? $"{named} and {groups.Count - GroupsToName} more groups" : named;
    }

    private long Count(DeleteOutcome outcome) => _counts[(int)outcome];
}

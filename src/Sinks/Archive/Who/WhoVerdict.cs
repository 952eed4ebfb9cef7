using System.Globalization;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>Judges whether the logs cover a window.</summary>
internal sealed class WhoVerdict(WhoQuestion question)
{
    private readonly List<Missing> _missing = [];
    private readonly List<string> _notes = [];

    internal IReadOnlyList<Missing> Missing => _missing;

    internal IReadOnlyList<string> Notes => _notes;

    /// <param name="begins">First time that the log shows, ns since the Unix epoch; null for none.</param>
    /// <param name="ends">Last time, likewise.</param>
    internal void AddLog(string name, long? begins, long? ends)
    {
        if (begins is not { } begin || ends is not { } end)
        {
            Add("log_begins", name, "the log has no record that shows its time");
            return;
        }

        if (begin > question.From)
            Add("log_begins", name, $"the log begins at {Time(begin)}, within the window or after it: not yet begun, or rotated away");
        else
            _notes.Add($"{name} begins at {Time(begin)}: a flow that is older and has left no record since is not in it");
        if (end < question.To)
            Add("log_ends", name, $"the log's last record is of {Time(end)}, before the end of the window");
    }

    internal void AddGaps(IReadOnlyList<FoundGap> gaps)
    {
        FoundGap[] earlier = [.. gaps.Where(gap => gap.IsForGood && gap.Gap.To < question.From)];
        foreach (FoundGap found in gaps.Where(gap => gap.Overlaps(question.From, question.To)).OrderBy(static gap => gap.Gap.From))
        {
            FlowGap gap = found.Gap;
            string lost = gap.Lost is { } count ? string.Create(CultureInfo.InvariantCulture, $"{count} lost") : "an unknown number lost";
            string reason = RecordNames.Text(gap.Reason);
            _missing.Add(new Missing(reason, found.Log, $"gap ({reason}) from {Time(gap.From)} to {Time(gap.To)}, {lost}")
            {
                Host = found.Host,
                Lost = gap.Lost,
                From = gap.From,
                To = gap.To,
            });
        }

        if (earlier.Length > 0)
            _notes.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{earlier.Length} earlier gaps (the last until {Time(earlier.Max(static gap => gap.Gap.To))}) lost records: a flow "
                    + $"that began in one and has left no record since is not found"));
    }

    internal void AddFaults(IEnumerable<ArchiveFault> faults)
    {
        foreach (ArchiveFault fault in faults)
            Add("unreadable", fault.Path, $"the file {fault.Problem}");
    }

    internal void AddReach()
    {
        if (question.Reach is { } reach)
            _notes.Add($"records before {Time(question.From - reach)} and after {Time(question.To + reach)} were not read (--reach): "
                + "a flow or a gap that lasted longer may be missing");
    }

    internal void Add(string reason, string? where, string detail) => _missing.Add(new Missing(reason, where, detail));

    private static string Time(long time) => time == 0 ? "an unknown time" : TimestampText.Format(time);
}

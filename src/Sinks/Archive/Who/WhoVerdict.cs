using System.Globalization;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>Judges whether the logs cover a window.</summary>
internal sealed class WhoVerdict(WhoQuestion question)
{
    private const int MostNames = 5;

    private readonly List<Missing> _missing = [];
    private readonly List<string> _notes = [];

    internal IReadOnlyList<Missing> Missing => _missing;

    internal IReadOnlyList<string> Notes => _notes;

    /// <param name="begins">First time that the log shows, ns since the Unix epoch; null for none.</param>
    /// <param name="ends">Last time, likewise.</param>
    /// <param name="isInOrder">
    /// False: what a dump concluded cannot be told from events, and may be ahead of some (<see cref="RecordOrder.Slack"/>).
    /// </param>
    internal void AddLog(string name, long? begins, long? ends, bool isInOrder)
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
        if (end - (isInOrder ? 0 : RecordOrder.Slack) >= question.To)
            return;
        Add("log_ends", name, $"the log's last record is of {Time(end)}, " + (isInOrder
            ? "before the end of the window"
            : "and a log of the format text counts as written until a minute before that: not to the end of the window"));
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

    /// <summary>What lies in a directory may be anything, but also a log whose beginning is damaged.</summary>
    internal void AddOthers(IReadOnlyList<string> files)
    {
        if (files.Count > 0)
        {
            string names = string.Join(", ", files.Take(MostNames)) + (files.Count > MostNames ? ", …" : "");
            _notes.Add(string.Create(
                CultureInfo.InvariantCulture, $"passed over, as they do not begin with a record of a flow log: {files.Count} ({names})"));
        }
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

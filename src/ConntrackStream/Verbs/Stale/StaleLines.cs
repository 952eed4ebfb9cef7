using System.Globalization;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Verbs.Stale;

/// <summary>The lines of <c>stale</c>, one a flow; with <c>--delete</c> the flow goes before its line.</summary>
internal sealed class StaleLines(CliContext context, bool json, bool delete)
{
    private long _found, _deleted;

    internal void Write(in Flow flow, string reason, ConntrackClient deleting)
    {
        string outcome = !delete ? "would_delete" : deleting.Delete(flow) ? "deleted" : "gone";
        _found++;
        _deleted += outcome == "deleted" ? 1 : 0;
        StaleRecord record = StaleRecord.Of(flow, reason, outcome);
        context.Print(json ? record.ToJson() : record.ToText(flow.Original));
    }

    /// <summary>null where nothing was changed.</summary>
    internal string? Done =>
        _deleted > 0 ? string.Create(CultureInfo.InvariantCulture, $"{_deleted} flow entries have been deleted") : null;

    internal string Summary(long looked) => string.Create(
        CultureInfo.InvariantCulture,
        $"{looked} flows looked at, {_found} lead nowhere")
        + (delete ? $", {_deleted} have been deleted." : ". Nothing was changed: add --delete");
}

using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Conntrack.Syntax;

namespace ConntrackStream.Service.Conntrack.Runs;

/// <summary>What <c>-U</c> sets of an entry.</summary>
internal sealed class EntryUpdate(ConntrackJob job, ConntrackClient client)
{
    private readonly FlowBatch _batch = new();

    /// <summary>Changes the entry, unless it is so already or has gone.</summary>
    /// <param name="updated">As it is then; valid until the next call.</param>
    /// <returns>False: nothing was changed.</returns>
    internal bool TryApply(in Flow flow, out FlowEvent updated)
    {
        updated = default;
        EntryRequest key = EntryRequest.For(flow.Original);
        EntryRequest request = key with
        {
            Status = job.Has(Given.Status) ? flow.Status | job.Template.Status : null, // bits can only be set
            Timeout = job.Has(Given.Timeout) ? job.Template.Timeout : null,
            Mark = job.Has(Given.Mark) ? new BitMatch((flow.Mark & ~job.Mark.Mask) ^ job.Mark.Value) : null,
            SecurityMark = job.Has(Given.SecurityMark) ? job.Template.SecurityMark : null,
            Labels = Labels(in flow),
            ProtocolState = job.Template.Has(TemplateFields.State) ? job.Template.State : null,
            TcpFlags = job.Template.Has(TemplateFields.TcpFlags) ? job.Template.TcpFlags : null,
            SctpOriginalTag = job.Template.Has(TemplateFields.SctpOriginalTag) ? job.Template.SctpOriginalTag : null,
            SctpReplyTag = job.Template.Has(TemplateFields.SctpReplyTag) ? job.Template.SctpReplyTag : null,
        };
        if (!Changes(request, in flow) || !IsStillThere(key, flow.Id) || !TryUpdate(request, in flow))
            return false;
        _batch.Reset();
        if (!client.TryGet(key, _batch))
            return false;
        updated = _batch.Span[0];
        return true;
    }

    /// <summary>An entry that has all that is given is left alone. A timeout or labels always count as another.</summary>
    private bool Changes(EntryRequest request, in Flow flow) =>
        request.Timeout is not null || request.Labels is not null
        || (request.Status is { } status && status != flow.Status)
        || (request.Mark is { } mark && (mark.Value != flow.Mark || !flow.Has(FlowFields.Mark)))
        || (request.ProtocolState is { } state && state != flow.ProtocolState)
        || (job.Template.Has(TemplateFields.Id) && job.Template.Id != flow.Id);

    /// <summary>The kernel looks at no id in an update: a successor with the same tuple must not be hit.</summary>
    private bool IsStillThere(EntryRequest key, uint id)
    {
        _batch.Reset();
        return client.TryGet(key, _batch) && _batch.Span[0].Flow.Id == id;
    }

    /// <summary>An entry made while no rule used labels has no room for any, and is left alone.</summary>
    private bool TryUpdate(EntryRequest request, in Flow flow)
    {
        try
        {
            return client.Update(request);
        }
        catch (NetlinkException e) when (e.Errno == Errno.ENOSPC && request.Labels is not null && flow.Extras is not { HasLabels: true })
        {
            return false;
        }
    }

    private (UInt128 Value, UInt128 Mask)? Labels(in Flow flow)
    {
        bool hasLabels = flow.Extras is { HasLabels: true };
        if (job.Has(Given.AddLabel) && job.ChangedLabels is { } added)
            return hasLabels ? (added.Bits, added.Bits) : added.Whole();
        return job.Has(Given.DeleteLabel) && hasLabels ? (0, job.ChangedLabels?.Bits ?? UInt128.MaxValue) : null;
    }
}

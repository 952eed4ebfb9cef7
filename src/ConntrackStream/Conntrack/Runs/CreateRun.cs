using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Conntrack.Syntax;

namespace ConntrackStream.Service.Conntrack.Runs;

/// <summary><c>-I</c> and <c>-A</c>: an entry, and <c>-I expect</c>: an expectation.</summary>
internal static class CreateRun
{
    /// <returns>False: <c>-A</c> leaves an entry alone that is there already.</returns>
    internal static bool TryEntry(ConntrackJob job, ConntrackClient client)
    {
        EntryTemplate template = job.Template;
        if (!template.Has(TemplateFields.ReplyProtocol) && !template.Original.IsIcmp && !template.Original.Protocol.HasPortsOrKeys())
            template.SetReplyProtocol(template.Original.Protocol); // no option of it names the reply's
        if (job.Has(Given.Original) && !job.Has(Given.Reply))
            template.Complete(reply: true);
        else if (!job.Has(Given.Original) && job.Has(Given.Reply))
            template.Complete(reply: false);
        EntryRequest request = template.ToRequest(job.Family) with
        {
            Mark = job.Has(Given.Mark) ? new BitMatch(job.Mark.Value) : null,
            Labels = job.Has(Given.AddLabel) && job.ChangedLabels is { } labels ? labels.Whole() : null,
        };
        try
        {
            client.Insert(request);
            return true;
        }
        catch (NetlinkException e) when (e.Errno == Errno.EEXIST && job.Command == CommandKind.Add)
        {
            return false;
        }
    }

    /// <summary>The master is the template's tuple, the expected flow that of the tuple options.</summary>
    internal static void Expectation(ConntrackJob job, ConntrackClient client)
    {
        FlowTuple expected = job.Expected.Original, mask = job.Mask.Original, master = job.Template.Original;
        (expected.Protocol, mask.Protocol) = (master.Protocol, master.Protocol);
        client.CreateExpectation(new Expectation { Tuple = expected, Mask = mask, Master = master, Timeout = job.Template.Timeout });
    }
}

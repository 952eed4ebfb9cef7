using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Conntrack.Syntax;

namespace ConntrackStream.Service.Conntrack.Runs;

/// <summary>The commands that go through the table: <c>-L</c>, <c>-D</c> and <c>-U</c>; and <c>-G</c>, which looks up one entry.</summary>
internal sealed class TableRun(ConntrackJob job, ConntrackSession session, Stream output, Func<ConntrackClient> open)
{
    private readonly EntryLines _lines = new(
        output, session.Output, EntryLines.Options(session.Output & ~Hidden(job.Command), ShowsLabels(job.Command) ? session.Labels : null),
        hasXmlFrame: job.Command is CommandKind.List or CommandKind.Get);

    private readonly FlowBatchPool _pool = new();

    /// <returns>How many entries were shown, deleted or updated.</returns>
    internal long Run()
    {
        using ConntrackClient client = open();
        try
        {
            switch (job.Command)
            {
                case CommandKind.List:
                    List(client);
                    break;
                case CommandKind.Get:
                    Get(client);
                    break;
                default:
                    Change(client);
                    break;
            }
        }
        finally
        {
            _lines.Flush(); // what was done before a failure, too
        }

        return _lines.Count;
    }

    private static OutputTypes Hidden(CommandKind command) =>
        OutputTypes.Timestamp | (command is CommandKind.List or CommandKind.Get ? OutputTypes.None : OutputTypes.KernelTimestamp);

    private static bool ShowsLabels(CommandKind command) => command != CommandKind.Delete;

    private void List(ConntrackClient client)
    {
        if (job.List == EntryList.Conntrack && job.Has(Given.Comparison) && job.Has(Given.Zero))
            throw ConntrackFault.Usage("Can't use -z with filtering parameters");
        EntryMatch match = new(job);
        DumpRequest request = new()
        {
            List = job.List,
            Family = job.Family,
            Mark = job.List == EntryList.Conntrack && job.Has(Given.Mark) ? job.Mark : null,
            Status = job.List == EntryList.Conntrack ? job.KernelStatus : null,
            ZeroCounters = job.Has(Given.Zero),
        };
        Dump(client, request, (in FlowEvent entry) =>
        {
            if (match.Matches(entry.Flow))
                _lines.Write(entry, job.Command);
        });
        if (job.List == EntryList.Conntrack)
            _lines.EndFrame();
    }

    private void Get(ConntrackClient client)
    {
        if (!job.Template.Has(TemplateFields.OriginalFamily)) // the reply tuple alone: conntrack sends no request
            throw new NetlinkException("reading a conntrack entry", Errno.EINVAL);
        EntryMatch match = new(job);
        FlowBatch found = new();
        if (!client.TryGet(job.Template.ToRequest(job.Family), found))
            throw new NetlinkException("reading a conntrack entry", Errno.ENOENT);
        if (match.Matches(found.Span[0].Flow))
            _lines.Write(found.Span[0], job.Command);
    }

    /// <summary>Each entry by its tuple, zone and id, over a client of its own: the dump goes on meanwhile.</summary>
    private void Change(ConntrackClient client)
    {
        using ConntrackClient changing = open();
        EntryMatch match = new(job);
        EntryUpdate update = new(job, changing);
        DumpRequest request = new()
        {
            Family = job.Family,
            Mark = job.Command == CommandKind.Delete && job.Has(Given.Mark) ? job.Mark : null,
        };
        Dump(client, request, (in FlowEvent entry) =>
        {
            if (job.Command == CommandKind.Delete)
            {
                if (match.Matches(entry.Flow) && changing.Delete(entry.Flow))
                    _lines.Write(entry, job.Command);
            }
            else if (match.MatchesForUpdate(entry.Flow) && update.TryApply(entry.Flow, out FlowEvent updated))
            {
                _lines.Write(updated, job.Command);
            }
        });
    }

    private void Dump(ConntrackClient client, DumpRequest request, EntryVisitor onEntry) => client.Dump(
        request,
        _pool,
        batch =>
        {
            foreach (ref readonly FlowEvent entry in batch.Span)
                onEntry(entry);
            batch.Release();
        },
        CancellationToken.None);

    private delegate void EntryVisitor(in FlowEvent entry);
}

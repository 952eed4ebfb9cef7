using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Conntrack.Syntax;

namespace ConntrackStream.Service.Conntrack.Runs;

/// <summary>The commands on the table of expectations that show: <c>-L</c>, <c>-G</c> and <c>-C</c>.</summary>
internal sealed class ExpectRun(ConntrackJob job, ConntrackSession session, Stream output, ConntrackClient client, TimeProvider time)
{
    private readonly ExpectLines _lines = new(output, session.Output, time);

    internal long List()
    {
        client.DumpExpectations(job.Family, expectation => _lines.Write(FlowEventType.Row, expectation));
        _lines.EndFrame();
        _lines.Flush();
        return _lines.Count;
    }

    internal long Get()
    {
        if (!client.TryGetExpectation(job.Template.Original, out Expectation? expectation))
            throw new NetlinkException("reading an expectation", Errno.ENOENT);
        _lines.Write(FlowEventType.Row, expectation);
        _lines.Flush();
        return _lines.Count;
    }

    internal long Count()
    {
        long count = 0;
        client.DumpExpectations(job.Family, _ => count++);
        return count;
    }
}

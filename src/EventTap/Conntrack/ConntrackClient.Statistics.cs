using System.Buffers.Binary;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

public sealed partial class ConntrackClient
{
    private const string Counting = "reading the size of the conntrack table";
    private const string ReadingStatistics = "reading the conntrack statistics of each CPU";

    /// <summary>Entries in the namespace's table, dying ones included (net.netfilter.nf_conntrack_count).</summary>
    public long Count() => GlobalStatistic(CTA_STATS_GLOBAL_ENTRIES);

    /// <summary>How many entries the table takes (net.netfilter.nf_conntrack_max).</summary>
    public long Max() => GlobalStatistic(CTA_STATS_GLOBAL_MAX_ENTRIES);

    /// <summary>One record for each possible CPU, in order.</summary>
    public ConntrackCpuStats[] Stats()
    {
        uint sequence = SendPlain(ReadingStatistics, IPCTNL_MSG_CT_GET_STATS_CPU, Nlmsg.NLM_F_DUMP);
        NetlinkAnswers answers = AnswersFrom(sequence);
        List<ConntrackCpuStats> all = [];
        while (true)
        {
            Next(ref answers, ReadingStatistics);
            if (answers.TryReadEnd(out ErrorMessage error))
            {
                ThrowIfFailed(error, ReadingStatistics);
                return [.. all];
            }

            if (answers.Header.Type != MessageType(IPCTNL_MSG_CT_GET_STATS_CPU))
                continue;
            if (!ConntrackCpuStats.TryRead(answers.Message, out ConntrackCpuStats stats))
                throw new NetlinkException(ReadingStatistics, Errno.EBADMSG);
            all.Add(stats);
        }
    }

    private long GlobalStatistic(ushort type)
    {
        uint sequence = SendPlain(Counting, IPCTNL_MSG_CT_GET_STATS, flags: 0);
        NetlinkAnswers answers = AnswersFrom(sequence);
        Next(ref answers, Counting);
        if (answers.TryReadError(out ErrorMessage error) && error.Errno != Errno.None)
            throw new NetlinkException(Counting, error.Errno, error.Text) { Step = NetlinkStep.CountingEntries };
        if (answers.Message.Length >= Nlmsg.HeaderLength + Nfnl.HeaderLength)
        {
            AttributeReader attributes = new(answers.Message[(Nlmsg.HeaderLength + Nfnl.HeaderLength)..]);
            while (attributes.Next())
            {
                if (attributes.Type == type && attributes.Value.Length == sizeof(uint))
                    return BinaryPrimitives.ReadUInt32BigEndian(attributes.Value);
            }
        }

        throw new NetlinkException(Counting, Errno.EBADMSG);
    }
}

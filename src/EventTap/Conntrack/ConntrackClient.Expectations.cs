using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

public sealed partial class ConntrackClient
{
    private const string DumpingExpectations = "dumping the expectation table";
    private const string ReadingExpectation = "reading an expectation";
    private const string ReadingExpectationStatistics = "reading the expectation statistics of each CPU";

    /// <summary>Shows each expectation of one family, or of both, as it comes; to be read to its end.</summary>
    /// <exception cref="NetlinkException">The kernel refused or broke off.</exception>
    public void DumpExpectations(FlowFamily family, Action<Expectation> onExpectation)
    {
        NetlinkAnswers answers = AskExpectations(DumpingExpectations, IPCTNL_MSG_EXP_GET, Nlmsg.NLM_F_DUMP, family);
        while (true)
        {
            Next(ref answers, DumpingExpectations);
            if (answers.TryReadEnd(out ErrorMessage error))
            {
                ThrowIfFailed(error, DumpingExpectations);
                return;
            }

            if (ExpectationDecoder.TryRead(answers.Message, out _, out Expectation? expectation))
                onExpectation(expectation);
        }
    }

    /// <summary>Looks up the expectation of a tuple, in its zone.</summary>
    /// <param name="tuple">What is expected, whole.</param>
    /// <returns>False if there is none (ENOENT).</returns>
    public bool TryGetExpectation(in FlowTuple tuple, [NotNullWhen(true)] out Expectation? expectation)
    {
        RequestWriter request = BeginExpectation(IPCTNL_MSG_EXP_GET, flags: 0, tuple.Family);
        PutExpectationKey(ref request, tuple);
        request.EndMessage();
        Send(ReadingExpectation, request.Written);
        NetlinkAnswers answers = AnswersFrom(_sequence);
        Next(ref answers, ReadingExpectation);
        expectation = null;
        if (answers.TryReadError(out ErrorMessage error))
            return Succeeded("reading the expectation of", tuple, error);
        if (!ExpectationDecoder.TryRead(answers.Message, out _, out expectation))
            throw new NetlinkException(ReadingExpectation, Errno.EBADMSG);
        return true;
    }

    /// <summary>Makes an expectation of tuple, mask, master and timeout; of zone, flags, class and helper where they are given.</summary>
    /// <exception cref="NetlinkException">ENOENT: no such master. EOPNOTSUPP: the master has no helper. EBUSY: there is such an
    /// expectation for another class or master. EMFILE: the helper allows no more of them.</exception>
    public void CreateExpectation(Expectation expectation)
    {
        RequestWriter request = BeginExpectation(
            IPCTNL_MSG_EXP_NEW, NLM_F_ACK | Nlmsg.NLM_F_CREATE | Nlmsg.NLM_F_EXCL, expectation.Tuple.Family);
        FlowRequest.PutTuple(ref request, CTA_EXPECT_TUPLE, expectation.Tuple);
        FlowRequest.PutTuple(ref request, CTA_EXPECT_MASTER, expectation.Master);
        FlowRequest.PutTuple(ref request, CTA_EXPECT_MASK, expectation.Mask);
        request.PutU32(CTA_EXPECT_TIMEOUT, expectation.Timeout ?? 0);
        if (expectation.Zone is { } zone)
            request.PutU16(CTA_EXPECT_ZONE, zone);
        if (expectation.Flags is { } flags)
            request.PutU32(CTA_EXPECT_FLAGS, (uint)flags);
        if (expectation.Class is { } number)
            request.PutU32(CTA_EXPECT_CLASS, number);
        if (expectation.Helper is { } helper)
            request.PutString(CTA_EXPECT_HELP_NAME, helper);
        request.EndMessage();
        ErrorMessage error = Acknowledge("creating an expectation", request.Written);
        if (error.Errno != Errno.None)
            throw Failed("creating an expectation of", expectation.Tuple, error);
    }

    /// <summary>Deletes the expectation of a tuple, in its zone.</summary>
    /// <param name="id">Only if it has this id.</param>
    /// <returns>False if there is none.</returns>
    public bool DeleteExpectation(in FlowTuple tuple, uint? id = null)
    {
        RequestWriter request = BeginExpectation(IPCTNL_MSG_EXP_DELETE, NLM_F_ACK, tuple.Family);
        PutExpectationKey(ref request, tuple);
        if (id is { } given)
            request.PutU32(CTA_EXPECT_ID, given);
        request.EndMessage();
        return Succeeded("deleting the expectation of", tuple, Acknowledge("deleting an expectation", request.Written));
    }

    /// <summary>Deletes every expectation of the namespace.</summary>
    public void FlushExpectations()
    {
        const string Flushing = "flushing the expectation table";
        RequestWriter request = BeginExpectation(IPCTNL_MSG_EXP_DELETE, NLM_F_ACK, FlowFamily.Unspecified);
        request.EndMessage();
        ThrowIfFailed(Acknowledge(Flushing, request.Written), Flushing);
    }

    /// <summary>One record for each possible CPU, in order.</summary>
    public ExpectationCpuStats[] ExpectationStats()
    {
        NetlinkAnswers answers = AskExpectations(
            ReadingExpectationStatistics, IPCTNL_MSG_EXP_GET_STATS_CPU, Nlmsg.NLM_F_DUMP, FlowFamily.Unspecified);
        List<ExpectationCpuStats> all = [];
        while (true)
        {
            Next(ref answers, ReadingExpectationStatistics);
            if (answers.TryReadEnd(out ErrorMessage error))
            {
                ThrowIfFailed(error, ReadingExpectationStatistics);
                return [.. all];
            }

            if (!ExpectationCpuStats.TryRead(answers.Message, out ExpectationCpuStats stats))
                throw new NetlinkException(ReadingExpectationStatistics, Errno.EBADMSG);
            all.Add(stats);
        }
    }

    private RequestWriter BeginExpectation(byte message, int flags, FlowFamily family)
    {
        RequestWriter request = new(_request);
        request.BeginNetfilter(Nfnl.MessageType(Nfnl.NFNL_SUBSYS_CTNETLINK_EXP, message), flags, ++_sequence, (byte)family);
        return request;
    }

    private NetlinkAnswers AskExpectations(string operation, byte message, int flags, FlowFamily family)
    {
        RequestWriter request = BeginExpectation(message, flags, family);
        request.EndMessage();
        Send(operation, request.Written);
        return AnswersFrom(_sequence);
    }

    private static void PutExpectationKey(ref RequestWriter request, in FlowTuple tuple)
    {
        FlowRequest.PutTuple(ref request, CTA_EXPECT_TUPLE, tuple);
        if (tuple.Zone != 0)
            request.PutU16(CTA_EXPECT_ZONE, tuple.Zone);
    }
}

using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Conntrack;

public sealed partial class ConntrackClient
{
    private const string Dumping = "dumping the conntrack table";

    /// <summary>
    /// Reads the table, of one family or of both, in batches as they come: nothing is kept. A dump that is given up, by cancellation or
    /// because <paramref name="onBatch"/> throws, leaves the client disposed, since the kernel would refuse
    /// another one (EBUSY) until that one is read.
    /// </summary>
    /// <param name="onBatch">Owns one reference of each batch and releases it.</param>
    /// <exception cref="NetlinkException">The kernel refused or broke off; the rows handed on so far are all there will be.</exception>
    public DumpResult Dump(FlowFamily family, FlowBatchPool pool, Action<FlowBatch> onBatch, CancellationToken cancellationToken) =>
        Dump(new DumpRequest { Family = family }, pool, onBatch, cancellationToken);

    /// <summary>Reads what a request asks for.</summary>
    /// <inheritdoc cref="Dump(FlowFamily, FlowBatchPool, Action{FlowBatch}, CancellationToken)"/>
    public DumpResult Dump(DumpRequest what, FlowBatchPool pool, Action<FlowBatch> onBatch, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        RequestWriter request = Begin(what.Message, Nlmsg.NLM_F_DUMP, what.Family);
        what.PutConditions(ref request);
        request.EndMessage();
        Send(Dumping, request.Written);
        NetlinkAnswers answers = AnswersFrom(_sequence);
        long rows = 0, malformed = 0;
        bool ended = false;
        FlowBatch? batch = null;
        try
        {
            while (!ended)
            {
                Next(ref answers, Dumping);
                cancellationToken.ThrowIfCancellationRequested();
                if (answers.TryReadEnd(out ErrorMessage error))
                {
                    ended = true;
                    ThrowIfFailed(error, Dumping);
                    continue;
                }

                batch ??= pool.Rent();
                if (FlowDecoder.DecodeRow(answers.Message, batch, answers.ReceivedAt) == DecodeResult.Malformed)
                    malformed++;
                if (batch.IsFull)
                    rows += HandOn(ref batch, onBatch);
            }

            if (batch is { Count: > 0 })
                rows += HandOn(ref batch, onBatch);
        }
        finally
        {
            batch?.Release();
            if (!ended)
                Dispose();
        }

        return new DumpResult(rows, malformed + answers.Malformed, answers.Interrupted);
    }

    private static int HandOn(ref FlowBatch? batch, Action<FlowBatch> onBatch)
    {
        FlowBatch full = batch!;
        int rows = full.Count; // the receiver may release it, which gives it to the next renter
        batch = null;
        onBatch(full);
        return rows;
    }
}

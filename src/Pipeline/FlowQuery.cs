using System.Threading.Channels;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Audit;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Loop;

namespace ConntrackStream.Pipeline;

/// <summary>When a query began and ended: each of its rows is consistent in itself, and was true at some time in between.</summary>
/// <param name="Began">ns since the Unix epoch.</param>
/// <param name="Ended">ns since the Unix epoch.</param>
/// <param name="Rows">Flows that matched.</param>
/// <param name="Synced">No unrepaired loss lay in between.</param>
public sealed record QuerySummary(long Began, long Ended, long Rows, bool Synced);

/// <summary>
/// A scan of the view in steps on the loop. A reader that does not keep up makes only its own query wait.
/// </summary>
/// <param name="from">Where it begins.</param>
/// <param name="skip">Passes over so many flows that match.</param>
/// <param name="rowsAtOnce">In a batch, at most.</param>
internal sealed class FlowQuery(
    FlowView view, FlowChangeBatchPool pool, FlowPredicate? isWanted, FlowPosition from, int skip, int rowsAtOnce) : ILoopWork
{
    private const int SlotsAtOnce = 1024;

    private readonly Channel<FlowPage> _rows = Channel.CreateBounded<FlowPage>(
        new BoundedChannelOptions(4) { SingleReader = true, SingleWriter = true });
    private readonly long _began = view.Context.Now;
    private FlowChangeBatch _batch = pool.Rent();
    private FlowPosition[] _places = new FlowPosition[rowsAtOnce];
    private FlowFamily _family = from.Family;
    private int _slot = from.Slot;
    private int _skip = skip;
    private long _matched;
    private bool _synced = view.Context.Synced;

    /// <summary>The reader owns one reference of each page's batch.</summary>
    public ChannelReader<FlowPage> Rows => _rows.Reader;

    /// <summary>Good once <see cref="Rows"/> is completed.</summary>
    public QuerySummary? Summary { get; private set; }

    /// <summary>Nobody reads any more.</summary>
    public volatile bool Cancelled;

    public LoopWorkState Step()
    {
        if (Cancelled)
            return LoopWorkState.Done;
        if (IsFull && !TryHandOver())
            return LoopWorkState.Waiting;
        for (int budget = SlotsAtOnce; budget > 0 && !IsFull; budget--)
        {
            if (_slot < view.Slots(_family))
            {
                Read(_slot++);
                continue;
            }

            if (_family == FlowFamily.IPv6)
                return TryFinish();
            _family = FlowFamily.IPv6;
            _slot = 0;
        }

        return LoopWorkState.Busy;
    }

    private bool IsFull => _batch.Count >= rowsAtOnce;

    private void Read(int slot)
    {
        ref FlowChange change = ref _batch.Add();
        if (view.TryRead(_family, slot, ref change, out FlowExtras? extras))
        {
            change.Flow.Extras = extras;
            bool isMatch = isWanted is null || isWanted(change.Flow);
            if (isMatch && _skip > 0)
            {
                _skip--;
            }
            else if (isMatch)
            {
                if (extras is not null)
                    change.Flow.Extras = _batch.Copy(extras);
                _places[_batch.Count - 1] = new FlowPosition(_family, slot);
                _matched++;
                return;
            }
        }

        _batch.TakeBack();
    }

    private bool TryHandOver()
    {
        if (!_rows.Writer.TryWrite(new FlowPage(_batch, _places)))
            return false;
        _batch = pool.Rent();
        _places = new FlowPosition[rowsAtOnce];
        return true;
    }

    private LoopWorkState TryFinish()
    {
        if (_batch.Count > 0 && !TryHandOver())
            return LoopWorkState.Waiting;
        _synced &= view.Context.Synced;
        Summary = new QuerySummary(_began, view.Context.Now, _matched, _synced);
        _rows.Writer.Complete();
        return LoopWorkState.Done;
    }
}

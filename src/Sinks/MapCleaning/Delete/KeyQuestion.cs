using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>
/// Asks the kernel for flows with some keys of the map: the tuple of each in both orientations, in every zone seen. A few keys at a time,
/// so that little time lies between the answer for one of them and what follows from it. Used by the loop only.
/// </summary>
/// <typeparam name="T">What a key is asked for.</typeparam>
internal sealed class KeyQuestion<T>(MapContext context)
{
    private const int MostKeys = 8;
    private const int MostTuples = 64; // with many zones; but one key at least

    private readonly TableQuestion _question = new(byIdentity: false);
    private readonly List<T> _items = new(MostKeys);
    private readonly List<int> _ends = new(MostKeys); // of each key's tuples

    /// <summary>The keys cannot be added to: the kernel is being asked, or its answer has not been taken.</summary>
    public bool IsAsked => _question.IsAsked;

    public bool IsAnswered => _question.IsAnswered;

    public bool IsFull => _items.Count == MostKeys || _question.Count >= MostTuples;

    public int Count => _items.Count;

    /// <summary>Losses known when it was asked.</summary>
    public ushort LossEpoch { get; private set; }

    public T this[int index] => _items[index];

    public void Add(T item, in FlowTuple tuple)
    {
        FlowTuple inverse = MapKeys.Inverse(tuple);
        foreach (ushort zone in context.Live.Zones)
        {
            _question.Add(tuple with { Zone = zone });
            _question.Add(inverse with { Zone = zone });
        }

        _items.Add(item);
        _ends.Add(_question.Count);
    }

    /// <summary>Asks, if there is anything to be asked.</summary>
    public bool Ask()
    {
        if (_items.Count == 0)
            return false;
        LossEpoch = context.View.LossEpoch;
        context.Stage.Ask(_question);
        return true;
    }

    public FlowExistence Existence(int index) => _question.Existence(index == 0 ? 0 : _ends[index - 1], _ends[index]);

    /// <summary>The answer has been used.</summary>
    public void Clear()
    {
        _items.Clear();
        _ends.Clear();
        _question.Clear();
    }
}

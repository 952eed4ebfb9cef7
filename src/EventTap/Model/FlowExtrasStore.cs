namespace ConntrackStream.EventTap.Model;

/// <summary>Extras objects that live as long as one batch's content, and are reused with it.</summary>
public sealed class FlowExtrasStore
{
    private readonly List<FlowExtras> _extras = [];
    private int _used;

    /// <summary>How many are in use.</summary>
    internal int Used => _used;

    /// <summary>An empty object.</summary>
    public FlowExtras Rent()
    {
        if (_used == _extras.Count)
            _extras.Add(new FlowExtras());
        FlowExtras extras = _extras[_used++];
        extras.Clear();
        return extras;
    }

    /// <summary>A copy that lives in this store.</summary>
    public FlowExtras Copy(FlowExtras extras)
    {
        FlowExtras copy = Rent();
        copy.CopyFrom(extras);
        return copy;
    }

    /// <summary>Takes back every object for reuse.</summary>
    public void Reset() => _used = 0;

    /// <summary>Takes back what was rented since <see cref="Used"/> was <paramref name="used"/>.</summary>
    internal void Rewind(int used) => _used = used;
}

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>
/// One condition of another program's rule: alternatives, of which any may hold. Those that are not understood leave it open: flows beyond
/// the understood ones may match, too.
/// </summary>
internal sealed class Alternatives<T>
    where T : struct
{
    private static readonly T?[] Any = [null];

    private readonly List<T?> _known = [];
    private List<T> _never = [];
    private bool _isLimited;

    /// <summary>Something in it is not understood.</summary>
    internal bool IsOpen { get; private set; }

    /// <summary>Those understood; a single null where the condition is not there.</summary>
    internal IReadOnlyList<T?> Known => _isLimited ? _known : Any;

    /// <summary>What surely does not match by what is not understood.</summary>
    internal IReadOnlyList<T> Never => _never;

    /// <summary>What may match: the understood ones, or anything where it is open.</summary>
    internal IReadOnlyList<T?> Possible => IsOpen ? Any : Known;

    internal void Add(T value)
    {
        _isLimited = true;
        _known.Add(value);
    }

    /// <summary>Anything may match from now on.</summary>
    /// <param name="never">But these do not; counts only while it is all that is not understood.</param>
    internal void Open(IEnumerable<T>? never = null)
    {
        _never = IsOpen || never is null ? [] : [.. never];
        (IsOpen, _isLimited) = (true, true);
    }

    /// <summary>Nothing counts as understood any longer.</summary>
    internal void Clear()
    {
        _known.Clear();
        Open();
    }
}

namespace ConntrackStream.Pipeline.Delete;

/// <summary>
/// Owners of keys whose interface is gone: their traffic, tracked or not, is over. What the kernel said counts until the next audit, since
/// an index may be given to another interface. Used by the loop only.
/// </summary>
/// <param name="hasInterface">Whether the namespace has an interface of this index; null: the kernel did not answer.</param>
internal sealed class GoneInterfaces(Func<uint, bool?> hasInterface)
{
    /// <summary>A node has some hundred pods; of more, none is taken for gone.</summary>
    private const int MostInterfaces = 1 << 16;

    private readonly Dictionary<uint, bool> _isGone = [];

    /// <param name="index">0: the layout keeps none, so nothing is known.</param>
    public bool IsGone(uint index)
    {
        if (index == 0)
            return false;
        if (_isGone.TryGetValue(index, out bool isGone))
            return isGone;
        if (_isGone.Count >= MostInterfaces)
            return false;
        return _isGone[index] = hasInterface(index) == false;
    }

    public void Forget() => _isGone.Clear();
}

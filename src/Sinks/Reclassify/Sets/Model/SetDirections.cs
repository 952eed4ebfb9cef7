namespace ConntrackStream.Sinks.Reclassify.Sets.Model;

/// <summary>
/// For each dimension of a set's type, whether it is compared with the source or the destination, as in iptables' <c>--match-set</c>.
/// </summary>
/// <param name="Count">How many the rule names; 0 when it names none, which makes all of them the destination.</param>
/// <param name="SourceBits">Bit i: dimension i (from 0) is the source.</param>
public readonly record struct SetDirections(byte Count, byte SourceBits)
{
    /// <summary>IPSET_DIM_MAX.</summary>
    public const int MaxCount = 6;

    /// <summary>All are the destination.</summary>
    public static SetDirections Default => default;

    public bool IsDefault => Count == 0;

    /// <summary>Whether dimension <paramref name="index"/>, from 0, is the source.</summary>
    public bool IsSource(int index) => (SourceBits >> index & 1) != 0;

    /// <summary>Whether there is one for each dimension: a set of more dimensions than the rule has directions never matches.</summary>
    public bool Cover(int dimensions) => IsDefault || Count >= dimensions;

    internal static bool TryParse(ReadOnlySpan<char> text, out SetDirections directions)
    {
        directions = default;
        byte count = 0, sources = 0;
        foreach (Range range in text.Split('+'))
        {
            ReadOnlySpan<char> part = text[range];
            if (count == MaxCount || part is not ("src" or "dst"))
                return false;
            if (part is "src")
                sources |= (byte)(1 << count);
            count++;
        }

        directions = new SetDirections(count, sources);
        return true;
    }

    public override string ToString()
    {
        SetDirections self = this;
        return string.Join('+', Enumerable.Range(0, Count).Select(i => self.IsSource(i) ? "src" : "dst"));
    }
}

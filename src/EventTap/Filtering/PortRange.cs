using System.Globalization;

namespace ConntrackStream.EventTap.Filtering;

/// <summary>Ports from <paramref name="First"/> to <paramref name="Last"/>, both included.</summary>
public readonly record struct PortRange(ushort First, ushort Last)
{
    /// <summary>A single port.</summary>
    public static implicit operator PortRange(ushort port) => new(port, port);

    /// <summary>Whether the port is one of them.</summary>
    public bool Contains(ushort port) => First <= port && port <= Last;

    /// <summary>Reads <c>443</c>, <c>8000-8100</c>, and, as iptables and mwan3 write it, <c>8000:8100</c>.</summary>
    public static bool TryParse(string? text, out PortRange range)
    {
        ReadOnlySpan<char> all = text;
        int separator = all.IndexOfAny('-', ':');
        ReadOnlySpan<char> first = separator < 0 ? all : all[..separator];
        ReadOnlySpan<char> last = separator < 0 ? all : all[(separator + 1)..];
        range = default;
        if (!ushort.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out ushort from)
            || !ushort.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out ushort to) || to < from)
            return false;
        range = new PortRange(from, to);
        return true;
    }

    /// <summary>All other ports, ascending.</summary>
    public static IEnumerable<PortRange> Others(IEnumerable<PortRange> ranges)
    {
        int next = 0;
        foreach (PortRange range in ranges.OrderBy(static range => range.First))
        {
            if (range.First > next)
                yield return new PortRange((ushort)next, (ushort)(range.First - 1));
            next = Math.Max(next, range.Last + 1);
        }

        if (next <= ushort.MaxValue)
            yield return new PortRange((ushort)next, ushort.MaxValue);
    }

    /// <summary>As <see cref="TryParse"/> reads it.</summary>
    public override string ToString() => First == Last
        ? First.ToString(CultureInfo.InvariantCulture)
        : string.Create(CultureInfo.InvariantCulture, $"{First}-{Last}");
}

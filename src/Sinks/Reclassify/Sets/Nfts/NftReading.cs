using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Sets.Reading;

namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>
/// One reading of a set, from its header to its last member. A set of single keys is changed in place; others are made anew.
/// </summary>
internal sealed class NftReading
{
    private readonly NftContent? _before;
    private readonly Mirror _mirror;
    private readonly NftIntervalBuilder? _intervals;
    private readonly NftBoxBuilder? _boxes;
    private uint? _catchAll; // its deadline

    /// <param name="header">As the kernel told it just now.</param>
    /// <param name="key">The header's.</param>
    /// <param name="before">What the set held until now, of whatever type.</param>
    /// <param name="mirror">Where gains go.</param>
    internal NftReading(NftHeader header, NftKey key, NftContent? before, Mirror mirror)
    {
        _before = before?.Type == key.Type ? before : null;
        _mirror = mirror;
        if (header.IsInterval && key.Count == 1)
        {
            _intervals = new NftIntervalBuilder(header, key);
        }
        else if (header.IsInterval)
        {
            _boxes = new NftBoxBuilder(header, key);
        }
        else
        {
            Points = before is NftPoints same && same.Header == header ? same : new NftPoints(header, key);
            lock (mirror.Gate)
                Points.BeginRound();
        }
    }

    /// <summary>A set of single keys, as far as it has been read; null: another kind.</summary>
    internal NftPoints? Points { get; }

    internal bool IsMalformed { get; private set; }

    /// <summary>Takes the members of one message of the dump.</summary>
    internal void Take(AttributeReader message)
    {
        NftElements elements = new(message);
        uint now = _mirror.Clock.Now;
        bool more = true;
        while (more)
        {
            lock (_mirror.Gate)
            {
                for (int i = 0; i < Mirror.Slice && (more = elements.Next()); i++)
                    Take(elements.Current, now);
            }
        }

        IsMalformed |= elements.Malformed;
    }

    /// <summary>What the set holds, with what it has gained told.</summary>
    internal NftContent Complete()
    {
        uint now = _mirror.Clock.Now;
        NftContent read;
        if (Points is { } points)
        {
            Sweep(points);
            read = points;
        }
        else if (_intervals is not null)
        {
            NftIntervals intervals = _intervals.Build();
            intervals.AddGains(_before as NftIntervals, now, _mirror.Gains);
            read = intervals;
        }
        else
        {
            read = _boxes!.Build(_before as NftBoxes, now, _mirror.Gains);
        }

        lock (_mirror.Gate)
            read.SetCatchAll(_catchAll, now, _before, _mirror.Gains);
        return read;
    }

    private void Take(in NftElement element, uint now)
    {
        uint deadline = element.DeadlineFrom(now);
        if (element.IsCatchAll)
            _catchAll = deadline;
        else
            IsMalformed |= !(Points?.Put(element, now, _mirror.Gains)
                ?? _intervals?.Add(element, deadline)
                ?? _boxes!.Add(element, deadline, now));
    }

    private void Sweep(NftPoints points)
    {
        int position = 0;
        bool more = true;
        while (more)
        {
            lock (_mirror.Gate)
                more = points.Sweep(ref position, Mirror.SweepSlice);
        }
    }
}

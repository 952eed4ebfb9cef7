using System.Diagnostics;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Model;

namespace ConntrackStream.Sinks.Reclassify.Sets.Table;

/// <summary>
/// Open addressing with linear probing over four arrays: 14 bytes a place for narrow keys, 46 for wide ones. Between half and 0.7 of the
/// places are taken while it grows. Most questions are about flows that no set has: they are answered by the tags alone, 8 bits of each
/// key's hash, which for many large sets stay in the processor's cache where the keys do not.
/// </summary>
internal sealed class MemberTable<TKey> : MemberTable
    where TKey : struct, IEquatable<TKey>, ITableKey<TKey>
{
    private const int SmallestCapacity = 8;
    private const double MaxLoad = 0.7;
    private const byte Rounds = 63; // a place's state: its round, 1 to 63, and NoMatch; 0 when empty

    private readonly HashSeed _secret = HashSeed.Random();
    private byte[] _tags = new byte[SmallestCapacity]; // 0 when empty
    private TKey[] _keys = new TKey[SmallestCapacity];
    private uint[] _deadlines = new uint[SmallestCapacity];
    private byte[] _states = new byte[SmallestCapacity];
    private byte _round = 1;
    private int _count;

    internal override int Count => _count;

    internal override long Bytes =>
        (long)_keys.Length * (System.Runtime.CompilerServices.Unsafe.SizeOf<TKey>() + sizeof(uint) + (2 * sizeof(byte)));

    private int Capacity => _keys.Length;

    internal override bool Find(in SetKey key, uint now, out uint deadline, out bool noMatch)
    {
        int place = PlaceOf(TKey.From(key));
        if (place >= 0)
        {
            deadline = _deadlines[place];
            noMatch = (_states[place] & NoMatch) != 0;
            return !SetClock.HasPassed(deadline, now);
        }

        deadline = 0;
        noMatch = false;
        return false;
    }

    internal override void BeginRound() => _round = (byte)((_round % Rounds) + 1);

    internal override PutResult Put(in SetKey key, uint deadline, bool noMatch, uint now)
    {
        TKey own = TKey.From(key);
        int place = PlaceOf(own);
        bool added = place < 0;
        bool matched = !added && (_states[place] & NoMatch) == 0 && !SetClock.HasPassed(_deadlines[place], now);
        if (added)
        {
            if (_count >= Capacity * MaxLoad)
                Resize((Capacity * 3 / 2) + 1);
            place = Take(own);
            _count++;
        }

        _deadlines[place] = deadline;
        _states[place] = (byte)(_round | (noMatch ? NoMatch : 0));
        return new PutResult(added, !matched && !noMatch);
    }

    internal override bool Remove(in SetKey key)
    {
        int place = PlaceOf(TKey.From(key));
        if (place < 0)
            return false;
        RemoveAt(place);
        return true;
    }

    internal override bool Sweep(ref int position, int slots, Action<SetKey, bool> removed)
    {
        int end = Math.Min(position + slots, _keys.Length);
        while (position < end)
        {
            byte state = _states[position];
            if (state == 0 || (state & Rounds) == _round)
            {
                position++;
                continue;
            }

            removed(_keys[position].ToSetKey(), (state & NoMatch) != 0);
            RemoveAt(position); // what moves here is looked at next
        }

        if (position < _keys.Length)
            return true;
        if (Capacity > SmallestCapacity && _count < Capacity / 4)
            Resize(Math.Max(SmallestCapacity, _count * 2));
        return false;
    }

    internal override IEnumerable<(SetKey Key, uint Deadline, bool NoMatch)> Members()
    {
        for (int i = 0; i < _keys.Length; i++)
        {
            if (_states[i] != 0)
                yield return (_keys[i].ToSetKey(), _deadlines[i], (_states[i] & NoMatch) != 0);
        }
    }

    private int PlaceOf(in TKey key)
    {
        uint hash = key.Hash(_secret);
        byte tag = TagOf(hash);
        byte[] tags = _tags;
        for (int i = Home(hash); tags[i] != 0; i = Next(i))
        {
            if (tags[i] == tag && _keys[i].Equals(key))
                return i;
        }

        return -1;
    }

    private int Take(in TKey key)
    {
        uint hash = key.Hash(_secret);
        int i = Home(hash);
        while (_tags[i] != 0)
            i = Next(i);
        (_tags[i], _keys[i]) = (TagOf(hash), key);
        return i;
    }

    /// <summary>Closes the hole by moving back what was pushed past it.</summary>
    private void RemoveAt(int hole)
    {
        _count--;
        for (int i = Next(hole); _tags[i] != 0; i = Next(i))
        {
            int home = Home(_keys[i].Hash(_secret));
            bool reachable = hole < i ? home > hole && home <= i : home > hole || home <= i;
            if (reachable)
                continue;
            (_tags[hole], _keys[hole], _deadlines[hole], _states[hole]) = (_tags[i], _keys[i], _deadlines[i], _states[i]);
            hole = i;
        }

        (_tags[hole], _keys[hole], _deadlines[hole], _states[hole]) = (0, default, 0, 0);
    }

    private void Resize(int capacity)
    {
        (TKey[] keys, uint[] deadlines, byte[] states) = (_keys, _deadlines, _states);
        _tags = new byte[capacity];
        _keys = new TKey[capacity];
        _deadlines = new uint[capacity];
        _states = new byte[capacity];
        for (int i = 0; i < keys.Length; i++)
        {
            if (states[i] == 0)
                continue;
            int place = Take(keys[i]);
            Debug.Assert(_states[place] == 0);
            (_deadlines[place], _states[place]) = (deadlines[i], states[i]);
        }
    }

    /// <summary>From the hash's upper bits.</summary>
    private int Home(uint hash) => (int)(hash * (ulong)Capacity >> 32);

    /// <summary>From its lower ones; never 0.</summary>
    private static byte TagOf(uint hash) => (byte)Math.Max(1, hash & 0xff);

    private int Next(int place) => place + 1 == Capacity ? 0 : place + 1;
}

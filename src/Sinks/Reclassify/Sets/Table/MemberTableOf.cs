using System.Diagnostics;
using System.Security.Cryptography;

namespace ConntrackStream.Sinks.Reclassify.Sets.Table;

/// <summary>
/// Open addressing with linear probing over three arrays: 13 bytes a place for narrow keys, 45 for wide ones. Between half and 0.7 of the places
/// are taken while it grows. A zero key marks an empty place; the member of that key itself has the place behind the last.
/// </summary>
internal sealed class MemberTable<TKey> : MemberTable
    where TKey : struct, IEquatable<TKey>, ITableKey<TKey>
{
    private const int SmallestCapacity = 8;
    private const double MaxLoad = 0.7;
    private const byte Rounds = 63; // a place's state: its round, 1 to 63, and NoMatch; 0 when empty

    private readonly ulong _secret = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
    private TKey[] _keys = new TKey[SmallestCapacity + 1];
    private uint[] _deadlines = new uint[SmallestCapacity + 1];
    private byte[] _states = new byte[SmallestCapacity + 1];
    private byte _round = 1;
    private int _count;

    internal override int Count => _count;

    internal override long Bytes => (long)_keys.Length * (System.Runtime.CompilerServices.Unsafe.SizeOf<TKey>() + sizeof(uint) + sizeof(byte));

    private int Capacity => _keys.Length - 1;

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
        if (key.Equals(default))
            return _states[Capacity] != 0 ? Capacity : -1;
        TKey[] keys = _keys;
        for (int i = Home(key); ; i = Next(i))
        {
            if (keys[i].Equals(key))
                return i;
            if (keys[i].Equals(default))
                return -1;
        }
    }

    private int Take(in TKey key)
    {
        if (key.Equals(default))
            return Capacity;
        int i = Home(key);
        while (!_keys[i].Equals(default))
            i = Next(i);
        _keys[i] = key;
        return i;
    }

    /// <summary>Closes the hole by moving back what was pushed past it.</summary>
    private void RemoveAt(int hole)
    {
        _count--;
        if (hole == Capacity)
        {
            _states[hole] = 0;
            return;
        }

        for (int i = Next(hole); !_keys[i].Equals(default); i = Next(i))
        {
            int home = Home(_keys[i]);
            bool reachable = hole < i ? home > hole && home <= i : home > hole || home <= i;
            if (reachable)
                continue;
            (_keys[hole], _deadlines[hole], _states[hole]) = (_keys[i], _deadlines[i], _states[i]);
            hole = i;
        }

        (_keys[hole], _deadlines[hole], _states[hole]) = (default, 0, 0);
    }

    private void Resize(int capacity)
    {
        (TKey[] keys, uint[] deadlines, byte[] states) = (_keys, _deadlines, _states);
        _keys = new TKey[capacity + 1];
        _deadlines = new uint[capacity + 1];
        _states = new byte[capacity + 1];
        for (int i = 0; i < keys.Length; i++)
        {
            if (states[i] == 0)
                continue;
            int place = Take(keys[i]);
            Debug.Assert(_states[place] == 0);
            (_deadlines[place], _states[place]) = (deadlines[i], states[i]);
        }
    }

    private int Home(in TKey key) => (int)((ulong)key.Hash(_secret) * (uint)Capacity >> 32);

    private int Next(int place) => place + 1 == Capacity ? 0 : place + 1;
}

using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.Sinks.Netlink.NfTables;

namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>The members that a dump, an answer or a notification names, one after the other: <c>while (elements.Next())</c>.</summary>
internal ref struct NftElements(AttributeReader message)
{
    private AttributeReader _message = message;
    private AttributeReader _list;
    private NftElement _current;

    internal readonly NftElement Current => _current;

    /// <summary>What could not be read is left out.</summary>
    internal bool Malformed { get; private set; }

    internal bool Next()
    {
        do
        {
            while (_list.Next())
            {
                if (_list.Type != NFTA_LIST_ELEM)
                    continue;
                if (NftElement.TryRead(_list.Nested(), out _current))
                    return true;
                Malformed = true;
            }

            Malformed |= _list.Malformed;
        }
        while (NextList());
        return false;
    }

    private bool NextList()
    {
        while (_message.Next())
        {
            if (_message.Type != NFTA_SET_ELEM_LIST_ELEMENTS)
                continue;
            _list = _message.Nested();
            return true;
        }

        Malformed |= _message.Malformed;
        return false;
    }
}

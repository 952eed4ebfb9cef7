namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>Numbers of linux/netfilter/nf_tables.h, under their kernel names.</summary>
internal static class NfTables
{
    internal const byte NFNL_SUBSYS_NFTABLES = 10; // linux/netfilter/nfnetlink.h
    internal const int NFNLGRP_NFTABLES = 7;

    internal const byte NFPROTO_INET = 1; // linux/netfilter.h
    internal const byte NFPROTO_IPV4 = 2;
    internal const byte NFPROTO_IPV6 = 10;

    internal const byte NFT_MSG_NEWTABLE = 0;
    internal const byte NFT_MSG_DELTABLE = 2;
    internal const byte NFT_MSG_NEWSET = 9;
    internal const byte NFT_MSG_GETSET = 10;
    internal const byte NFT_MSG_DELSET = 11;
    internal const byte NFT_MSG_NEWSETELEM = 12;
    internal const byte NFT_MSG_GETSETELEM = 13;
    internal const byte NFT_MSG_DELSETELEM = 14;

    internal const ushort NFTA_TABLE_NAME = 1;

    internal const ushort NFTA_SET_TABLE = 1;
    internal const ushort NFTA_SET_NAME = 2;
    internal const ushort NFTA_SET_FLAGS = 3;
    internal const ushort NFTA_SET_KEY_TYPE = 4;
    internal const ushort NFTA_SET_KEY_LEN = 5;

    internal const uint NFT_SET_INTERVAL = 0x4;
    internal const uint NFT_SET_TIMEOUT = 0x10;
    internal const uint NFT_SET_EVAL = 0x20; // "dynamic": packets add members

    internal const ushort NFTA_SET_ELEM_LIST_TABLE = 1;
    internal const ushort NFTA_SET_ELEM_LIST_SET = 2;
    internal const ushort NFTA_SET_ELEM_LIST_ELEMENTS = 3;
    internal const ushort NFTA_LIST_ELEM = 1;

    internal const ushort NFTA_SET_ELEM_KEY = 1;
    internal const ushort NFTA_SET_ELEM_FLAGS = 3;
    internal const ushort NFTA_SET_ELEM_EXPIRATION = 5;
    internal const ushort NFTA_SET_ELEM_KEY_END = 10;
    internal const ushort NFTA_DATA_VALUE = 1;

    internal const uint NFT_SET_ELEM_INTERVAL_END = 1;
    internal const uint NFT_SET_ELEM_CATCHALL = 2;
}

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>enum bpf_cmd (linux/bpf.h).</summary>
internal enum BpfCommand
{
    MapCreate = 0, // BPF_MAP_CREATE
    MapLookupElem = 1, // BPF_MAP_LOOKUP_ELEM
    MapUpdateElem = 2, // BPF_MAP_UPDATE_ELEM
    ProgLoad = 5, // BPF_PROG_LOAD
    ObjPin = 6, // BPF_OBJ_PIN
    ObjGet = 7, // BPF_OBJ_GET
    MapGetNextId = 12, // BPF_MAP_GET_NEXT_ID
    MapGetFdById = 14, // BPF_MAP_GET_FD_BY_ID
    ObjGetInfoByFd = 15, // BPF_OBJ_GET_INFO_BY_FD
    MapLookupAndDeleteElem = 21, // BPF_MAP_LOOKUP_AND_DELETE_ELEM
    MapLookupBatch = 24, // BPF_MAP_LOOKUP_BATCH
    LinkCreate = 28, // BPF_LINK_CREATE
}

// Where NumPy's arrays get their memory, in the running context alone: see memory.hpp.

const char* const HANDLER = "mem_handler";  // the name that NumPy asks of such a capsule

void* allocate_block(void* memory, size_t size) { return static_cast<Memory*>(memory)->allocate(size, false); }
void* allocate_zeros(void* memory, size_t count, size_t size) {
    return static_cast<Memory*>(memory)->allocate(count * size, true);
}
void* resize_block(void* memory, void* block, size_t size) { return static_cast<Memory*>(memory)->resize(block, size); }
void release_block(void* memory, void* block, size_t) { static_cast<Memory*>(memory)->release(block); }

PyDataMem_Handler* handler_in(PyObject* capsule) {
    return static_cast<PyDataMem_Handler*>(PyCapsule_GetPointer(capsule, HANDLER));
}

// Every array refers to the capsule of its memory, so the last one takes it along.
void destroy_memory(PyObject* capsule) {
    PyDataMem_Handler* handler = handler_in(capsule);
    delete static_cast<Memory*>(handler->allocator.ctx);
    delete handler;
}

PyObject* keep_memory(PyObject*, PyObject*) {
    auto* handler = new PyDataMem_Handler{
        "sknn", 1, {new Memory, allocate_block, allocate_zeros, resize_block, release_block}};
    PyObject* capsule = PyCapsule_New(handler, HANDLER, destroy_memory);
    if (!capsule) return nullptr;
    PyObject* before = PyDataMem_SetHandler(capsule);
    if (!before) {
        Py_DECREF(capsule);
        return nullptr;
    }
    return Py_BuildValue("NN", capsule, before);
}

PyObject* release_memory(PyObject*, PyObject* both) {
    PyObject *capsule, *before;
    if (!PyArg_ParseTuple(both, "OO", &capsule, &before)) return nullptr;
    static_cast<Memory*>(handler_in(capsule)->allocator.ctx)->close();
    PyObject* replaced = PyDataMem_SetHandler(before);
    if (!replaced) return nullptr;
    Py_DECREF(replaced);
    Py_RETURN_NONE;
}

// PushAPI
